# Installing, formatting and the checks that need no run.

OWN_SOURCES = $(wildcard $(foreach room,$(ROOMS),$(room)/*.[ch] $(room)/*/*.[ch]) \
                testsuites/*/*.[ch])
LINT_SOURCES = $(room_sources) $(wildcard testsuites/kernel/*.c testsuites/bench/*.c)
MANUALS = $(wildcard docs/*.scd)

.PHONY: install manuals format lint call
manuals: $(MANUALS:docs/%.scd=build/man/%)

build/man/%: docs/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@

install: $(BUILD)/denizen $(if $(shell command -v scdoc),manuals)
	install -D -m 755 $(BUILD)/denizen $(DESTDIR)$(PREFIX)/bin/denizen
	$(if $(shell command -v scdoc),,@echo "scdoc is not installed: no manual pages")
	$(if $(shell command -v scdoc),$(foreach page,$(MANUALS:docs/%.scd=%),\
	    install -D -m 644 build/man/$(page) \
	        $(DESTDIR)$(PREFIX)/share/man/man$(patsubst .%,%,$(suffix $(page)))/$(page) &&) true)
	install -D -m 644 tools/denizen.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/denizen

format:
	$(CLANG_FORMAT) -i $(OWN_SOURCES)

lint:
	@tools/packages.sh build check lint
	@tools/lint.sh "$(OWN_SOURCES)" "$(LINT_SOURCES)" "$(LANGUAGE)"

call:
	@tools/call.sh "$(NAME)"

#: make install    to $(DESTDIR)$(PREFIX); manual pages too where scdoc is installed
#: make format     format every source
#: make lint       formatting, clang-tidy, cppcheck, shellcheck and the project's own rules
#: make call NAME=…  what to write for a system call
