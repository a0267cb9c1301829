# Programs of `make bench` and `make demo`. `op` and `first` run in guests: static, uninstrumented.

BENCH_PROGRAMS := build/bench/enter build/bench/op build/bench/first build/bench/bench
BENCH_COMPILE = $(CC) $(LANGUAGE) -O2 -g $(WARNINGS) -MMD -MP

build/bench/op: testsuites/bench/op.c
	@mkdir -p $(@D)
	$(call quiet,CC   $<) $(BENCH_COMPILE) -static -pthread -o $@ $<

build/bench/first: testsuites/bench/first.c
	@mkdir -p $(@D)
	$(call quiet,CC   $<) $(BENCH_COMPILE) -static -nostdlib -ffreestanding -fno-stack-protector -o $@ $<

build/bench/enter: testsuites/bench/enter.c
	@mkdir -p $(@D)
	$(call quiet,CC   $<) $(BENCH_COMPILE) -o $@ $<

build/bench/bench: $(addprefix build/bench/,bench.o place.o memory.o notify.o)
	$(call quiet,LINK $@) $(CC) -o $@ $^ $(shell $(PKG_CONFIG) --libs jansson) -lm

build/bench/%.o: testsuites/bench/%.c
	@mkdir -p $(@D)
	$(call quiet,CC   $<) $(BENCH_COMPILE) -c -o $@ $<

-include $(wildcard build/bench/*.d)
