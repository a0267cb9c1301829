# A denizen whose defences can be switched off (host/defence.h), for the proof of the attack tests.
# It is never installed, and lies beside the attack programs as well, so that it is copied with
# them.

ifeq ($(findstring DZ_WEAKENED,$(CPPFLAGS)),)

.PHONY: weakened build/weakened/denizen
weakened: build/security/weakened/denizen
test-programs: weakened

build/security/weakened/denizen: build/weakened/denizen
	@mkdir -p $(@D)
	@cmp -s $< $@ || cp $< $@

# The inner make decides what is out of date.
build/weakened/denizen:
	@$(MAKE) --no-print-directory BUILD=build/weakened SAN= COVERAGE= \
	    CPPFLAGS="$(CPPFLAGS) -DDZ_WEAKENED" build/weakened/denizen

endif

#: make weakened   build build/weakened/denizen, in which the tests switch defences off
