# The test targets. `make check` installs what is missing first, so the build itself runs in a
# second make, which finds the new tools.

TEST_PARTS := $(if $(unit_sources),$(BUILD)/unit-tests) \
              $(if $(wildcard testsuites/kernel/main.c),$(BUILD)/kernel-probes)

.PHONY: test-programs check-packages check demo bench coverage
test-programs: $(BUILD)/denizen $(TEST_PARTS) guest-programs

check-packages:
	@tools/packages.sh build check

check: check-packages
	@$(MAKE) -s --no-print-directory test-programs
	@$(if $(SAN)$(FAST),,$(MAKE) -s --no-print-directory test-programs SAN=address,undefined)
	@testsuites/run.sh $(BUILD) $(if $(SAN)$(FAST),,build/sanitize-address+undefined)

demo:
	@tools/packages.sh build demo
	@$(MAKE) -s --no-print-directory all build/bench/enter
	@DENIZEN=$(BUILD)/denizen testsuites/demo/demo.sh

bench:
	@tools/packages.sh build demo bench
	@$(MAKE) -s --no-print-directory all
	@$(MAKE) -s --no-print-directory $(BENCH_PROGRAMS)
	@DENIZEN=$(BUILD)/denizen testsuites/bench/bench.sh

# Lines that no test reaches. Only this user's round is run: the counters are files in build/.
coverage:
	@tools/packages.sh build check coverage
	@$(MAKE) -s --no-print-directory test-programs COVERAGE=1
	@CHECK_USERS=self testsuites/run.sh build/coverage
	@gcovr --root . --object-directory build/coverage --exclude testsuites/ \
	    --txt build/coverage/report.txt --print-summary
	@cat build/coverage/report.txt

#: make check      build and run every test, as this user and (when root) as nobody, plain and
#:                 then under AddressSanitizer and UBSan; FAST=1 plain only; SAN=thread only so
#: make demo       run a Debian root filesystem as an ordinary user and show what it costs
#: make bench      measure against native and proot; prints a table, writes build/bench.json
#: make coverage   run the tests and show the lines that none reached
