# A denizen whose defences can be switched off (host/defence.h), for the proof of the attack tests.
# It is never installed, and lies beside the attack programs as well, so that it is copied with
# them.

WEAKENED := build/weakened/denizen

.PHONY: weakened
weakened: build/security/weakened/denizen

build/security/weakened/denizen: $(WEAKENED)
	@mkdir -p $(@D)
	@cmp -s $< $@ || cp $< $@

# The inner make decides what is out of date.
.PHONY: $(WEAKENED)
$(WEAKENED):
	@$(MAKE) --no-print-directory BUILD=build/weakened SAN= COVERAGE= CPPFLAGS="$(CPPFLAGS) -DDZ_WEAKENED" \
	    build/weakened/denizen

ifeq ($(findstring DZ_WEAKENED,$(CPPFLAGS)),)
test-programs: weakened
endif

#: make weakened   build build/weakened/denizen, in which the tests switch defences off
