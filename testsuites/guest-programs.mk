# Guest programs: each source is one program, built three ways, since a guest may be linked to
# glibc, be static, or be linked to nothing that the host knows. They are never instrumented:
# they stand for other people's programs.
#
#   build/guest/{dynamic,static,musl}/NAME      from testsuites/guest/NAME.c
#   build/security/{dynamic,static,musl}/NAME   from testsuites/security/NAME.c

# The rules for what to remake lie apart: the programs' folders hold programs only.
GUEST_DEPENDS := build/objects/guests
GUEST_FLAGS = -std=gnu17 -D_GNU_SOURCE= -I. -O1 -g -pthread -Wall -Wextra -Werror \
               -MMD -MP -MF $(GUEST_DEPENDS)/$(subst /,-,$@).d

# musl-gcc looks in musl's own headers only; the kernel's are plain C and fit any libc.
MUSL_HEADERS := build/musl-headers
MULTIARCH_INCLUDE := /usr/include/$(shell uname -m)-linux-gnu

guest_names := $(patsubst testsuites/guest/%.c,%,$(wildcard testsuites/guest/*.c))
attack_names := $(patsubst testsuites/security/%.c,%,$(wildcard testsuites/security/*.c))
flavours := dynamic static musl

GUEST_PROGRAMS := $(foreach flavour,$(flavours),$(guest_names:%=build/guest/$(flavour)/%))
ATTACK_PROGRAMS := $(foreach flavour,$(flavours),$(attack_names:%=build/security/$(flavour)/%))

define guest_rules
build/$(1)/dynamic/%: testsuites/$(1)/%.c
	@mkdir -p $$(@D) $(GUEST_DEPENDS)
	$$(call quiet,CC   $$@) $$(CC) $$(GUEST_FLAGS) -o $$@ $$<

build/$(1)/static/%: testsuites/$(1)/%.c
	@mkdir -p $$(@D) $(GUEST_DEPENDS)
	$$(call quiet,CC   $$@) $$(CC) $$(GUEST_FLAGS) -static -o $$@ $$<

build/$(1)/musl/%: testsuites/$(1)/%.c | $$(MUSL_HEADERS)
	@mkdir -p $$(@D) $(GUEST_DEPENDS)
	$$(call quiet,CC   $$@) $$(MUSL_GCC) $$(GUEST_FLAGS) -static -idirafter $$(MUSL_HEADERS) -o $$@ $$<
endef
$(eval $(call guest_rules,guest))
$(eval $(call guest_rules,security))

$(MUSL_HEADERS):
	mkdir -p $@.part
	ln -sfn /usr/include/linux $@.part/linux
	ln -sfn /usr/include/asm-generic $@.part/asm-generic
	ln -sfn $(MULTIARCH_INCLUDE)/asm $@.part/asm
	mv $@.part $@

-include $(wildcard $(GUEST_DEPENDS)/*.d)

.PHONY: guest-programs
guest-programs: $(GUEST_PROGRAMS) $(ATTACK_PROGRAMS)
