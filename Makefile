# SPDX-License-Identifier: MIT
#
# faultline: one Makefile, non-recursive, everything built lands in $(O) (default: build/).
#   make help      what there is
#   make V=1       with the commands
#   make WERROR=0  warnings stay warnings
#   make O=DIR     another build folder
# Sources are found by sorted wildcards: a new file needs no edit here.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

O ?= build
V ?= 0
WERROR ?= 1
SAN ?=
PREFIX ?= /usr/local
DESTDIR ?=
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

ifneq ($(filter default undefined,$(origin CC)),)
CC := gcc
endif
ifneq ($(filter default undefined,$(origin AR)),)
AR := ar
endif

# ---- libraries -------------------------------------------------------------------------------
PKG_CONFIG ?= pkg-config
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)

PKGS_BASE := json-c libsodium libcurl libzstd inih
PKGS_SERVER := $(PKGS_BASE) libmicrohttpd libgit2 sqlite3 zlib
PKG_CFLAGS := $(call pkg,--cflags,$(PKGS_SERVER))
LIBS_BASE := $(call pkg,--libs,$(PKGS_BASE))
LIBS_SERVER := $(call pkg,--libs,$(PKGS_SERVER))
LIBS_TOOLS := $(call pkg,--libs,json-c libsodium sqlite3)
LIBS_CMOCKA := $(call pkg,--libs,cmocka)
LIBS_ARCHIVE := $(call pkg,--libs,libarchive)
PKG_MISSING := $(if $(and $(LIBS_SERVER),$(LIBS_CMOCKA)),,missing)

# ---- flags -----------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
WARN += $(if $(filter 1,$(WERROR)),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN += $(if $(filter x86_64,$(shell uname -m)),-fcf-protection)
# Fortify and sanitizers exclude each other: the checked copies hide accesses from ASan.
HARDEN += $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)

ALL_CPPFLAGS = -D_GNU_SOURCE -I. -I$(O)/gen $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 -O2 -g -pthread $(WARN) $(HARDEN) $(SAN_FLAGS) $(COV_FLAGS) $(CFLAGS)
ALL_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SAN_FLAGS) $(COV_FLAGS) $(LDFLAGS)

# ---- sources ---------------------------------------------------------------------------------
src = $(sort $(wildcard $(1)))
obj = $(patsubst %.c,$(O)/obj/%.o,$(1))

LIB_SRC := $(call src,lib/*.c)
JOBS_SRC := $(call src,jobs/*.c)
AGENT_SRC := $(filter-out agent/main.c,$(call src,agent/*.c))
DB_SRC := $(call src,db/*.c)
SERVER_SRC := $(filter-out server/main.c,$(call src,server/*.c))
CLI_SRC := $(filter-out cli/main.c,$(call src,cli/*.c))
GUEST_SRC := $(call src,jobs/guest/*.c jobs/guest/*/*.c)
GUEST_HOST_SRC := $(filter-out jobs/guest/init.c,$(GUEST_SRC))
UNIT_SRC := $(call src,tests/unit/test_*.c)
INTEGRATION_SRC := $(call src,tests/integration/*.c)
FUZZ_SRC := $(call src,tests/fuzz/fuzz_*.c)

A_LIB := $(O)/lib/liblib.a
A_JOBS := $(O)/lib/libjobs.a
A_AGENT := $(O)/lib/libagent.a
A_DB := $(O)/lib/libdb.a
A_SERVER := $(O)/lib/libserver.a
A_CLI := $(O)/lib/libcli.a
A_GUEST := $(O)/lib/libguest.a

# ---- what to build (only what has its sources) -----------------------------------------------
have = $(if $(wildcard $(1)),$(2))
PROGRAMS := $(call have,server/main.c,$(O)/bin/faultline-server) \
	$(call have,agent/main.c,$(O)/bin/faultline-agent) \
	$(call have,cli/main.c,$(O)/bin/faultline) \
	$(if $(LIBS_ARCHIVE),$(call have,tools/tar_fast_import.c,$(O)/bin/tar_fast_import))
GUEST := $(call have,jobs/guest/init.c,$(O)/guest/init)
UNIT := $(patsubst %.c,$(O)/%,$(UNIT_SRC))
INTEGRATION := $(patsubst %.c,$(O)/%,$(INTEGRATION_SRC))
FUZZ_REPLAY := $(patsubst %.c,$(O)/%,$(FUZZ_SRC))

.PHONY: all programs tests check check-fast check-unit demo defects mutants bench bench-dashboard asan tsan fuzz coverage format \
	lint install docs clean compile_commands.json deps help need-libs FORCE
## all: every program, the guest's init and the tests
all: programs tests
programs: need-libs $(PROGRAMS) $(GUEST)
tests: need-libs $(UNIT) $(INTEGRATION) $(FUZZ_REPLAY)

need-libs:
	$(if $(PKG_MISSING),@echo "libraries are missing; 'make deps' installs them" >&2; exit 1,@:)

# ---- generated sources -----------------------------------------------------------------------
QUERIES_IN := $(if $(wildcard tools/queries.c),$(call src,db/queries*.sql))
TEMPLATES_IN := $(if $(wildcard tools/templates.c),$(call src,web/templates/*.html))
STATIC_IN := $(sort $(shell find web/static -type f 2>/dev/null))

GEN_DB := $(if $(QUERIES_IN),$(O)/gen/db_queries.h)
GEN_SERVER := $(if $(TEMPLATES_IN),$(O)/gen/templates.h) $(if $(STATIC_IN),$(O)/gen/static_files.h)
GEN_ALL := $(O)/gen/version.h $(GEN_DB) $(GEN_SERVER)

# Generators may leak: they end at once.
GEN_ENV := ASAN_OPTIONS=detect_leaks=0

MIGRATIONS := $(call src,db/migrations/*.sql)
$(O)/gen/db_queries.h $(O)/gen/db_queries.c &: $(O)/bin/tools/queries $(QUERIES_IN) \
		$(wildcard db/schema.sql) $(MIGRATIONS)
	$(call say,GEN,$(O)/gen/db_queries.c)
	@mkdir -p $(O)/gen
	$(Q)$(GEN_ENV) $< $(O)/gen/db_queries.h $(O)/gen/db_queries.c db/schema.sql $(QUERIES_IN) \
		$(MIGRATIONS)

$(O)/gen/templates.h $(O)/gen/templates.c &: $(O)/bin/tools/templates $(TEMPLATES_IN)
	$(call say,GEN,$(O)/gen/templates.c)
	@mkdir -p $(O)/gen
	$(Q)$(GEN_ENV) $< $(O)/gen/templates.h $(O)/gen/templates.c $(TEMPLATES_IN)

$(O)/gen/static_files.h $(O)/gen/static_files.c &: $(O)/bin/tools/embed $(STATIC_IN)
	$(call say,GEN,$(O)/gen/static_files.c)
	@mkdir -p $(O)/gen
	$(Q)$(GEN_ENV) $< $(O)/gen/static_files.h $(O)/gen/static_files.c $(STATIC_IN)

# Rewritten only when the version changes, so that nothing is rebuilt for nothing.
$(O)/gen/version.h: FORCE
	@mkdir -p $(@D)
	@v=$$(git describe --always --dirty 2>/dev/null) || v=0.1; \
	printf '/* SPDX-License-Identifier: MIT */\n#define FAULTLINE_VERSION "%s"\n' "$$v" > $@.tmp; \
	if cmp -s $@.tmp $@; then rm -f $@.tmp; else mv $@.tmp $@; fi

# ---- objects and archives --------------------------------------------------------------------
define compile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(EXTRA_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
endef

$(O)/obj/%.o: %.c
	$(compile)
$(O)/obj/gen/%.o: $(O)/gen/%.c
	$(compile)
$(O)/obj/guest-host/%.o: jobs/guest/%.c
	$(compile)

$(O)/obj/guest-host/%.o: EXTRA_CPPFLAGS := -iquote jobs/guest
$(O)/obj/tests/%.o: EXTRA_CPPFLAGS := -iquote jobs/guest

# Generated headers come first; which file really includes them, -MMD finds out.
$(call obj,$(AGENT_SRC) agent/main.c $(CLI_SRC) cli/main.c): | $(O)/gen/version.h
$(call obj,$(DB_SRC)): | $(GEN_DB)
$(call obj,$(SERVER_SRC) server/main.c): | $(GEN_ALL)
$(call obj,$(filter-out $(patsubst lib/%.c,tests/unit/test_%.c,$(LIB_SRC)),$(UNIT_SRC))): | $(GEN_ALL)

define archive
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
endef
$(A_LIB): $(call obj,$(LIB_SRC))
	$(archive)
$(A_JOBS): $(call obj,$(JOBS_SRC))
	$(archive)
$(A_AGENT): $(call obj,$(AGENT_SRC))
	$(archive)
$(A_DB): $(call obj,$(DB_SRC)) $(if $(GEN_DB),$(O)/obj/gen/db_queries.o)
	$(archive)
$(A_SERVER): $(call obj,$(SERVER_SRC)) $(patsubst $(O)/gen/%.h,$(O)/obj/gen/%.o,$(GEN_SERVER))
	$(archive)
$(A_CLI): $(call obj,$(CLI_SRC))
	$(archive)
$(A_GUEST): $(patsubst jobs/guest/%.c,$(O)/obj/guest-host/%.o,$(GUEST_HOST_SRC))
	$(archive)

# ---- programs --------------------------------------------------------------------------------
# $(1) = archives and $(2) = libraries; the main object is the first prerequisite.
define link
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) \
		-Wl,--end-group $(1)
endef

$(O)/bin/faultline-server: $(O)/obj/server/main.o $(A_SERVER) $(A_DB) $(A_AGENT) $(A_JOBS) \
		$(A_LIB)
	$(call link,$(LIBS_SERVER) -lm)
$(O)/bin/faultline-agent: $(O)/obj/agent/main.o $(A_AGENT) $(A_JOBS) $(A_LIB)
	$(call link,$(LIBS_BASE) -lm)
$(O)/bin/faultline: $(O)/obj/cli/main.o $(A_CLI) $(A_AGENT) $(A_JOBS) $(A_LIB)
	$(call link,$(LIBS_BASE) -lm)
$(O)/bin/tar_fast_import: $(O)/obj/tools/tar_fast_import.o
	$(call link,$(LIBS_ARCHIVE))
$(O)/bin/tools/embed: $(O)/obj/tools/embed.o
	$(call link,)
$(O)/bin/tools/%: $(O)/obj/tools/%.o $(A_LIB)
	$(call link,$(LIBS_TOOLS))

# The guest's programs are static and must not depend on the host's C library. musl-gcc hides the
# kernel's own headers (linux/, asm/): they come last.
GUEST_CC ?= $(if $(shell command -v musl-gcc),musl-gcc,$(CC))
GUEST_CFLAGS := -static -std=c11 -Os -g -D_GNU_SOURCE -Ijobs/guest $(WARN) \
	$(if $(shell command -v musl-gcc),-idirafter /usr/include \
	-idirafter /usr/include/$(shell gcc -print-multiarch 2>/dev/null))
GUEST_OBJ := $(patsubst jobs/guest/%.c,$(O)/obj/guest/%.o,$(GUEST_SRC))

$(O)/obj/guest/%.o: jobs/guest/%.c
	$(call say,GUESTCC,$<)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<
$(O)/guest/init: $(GUEST_OBJ)
	$(call say,GUESTLD,$@)
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -s -o $@ $^

# ---- tests -----------------------------------------------------------------------------------
ARCHIVES := $(A_CLI) $(A_SERVER) $(A_DB) $(A_AGENT) $(A_JOBS) $(A_LIB)
# test_X links what the folder of X.c may use, so that a test of lib/ needs no other folder to
# compile; test_guest_X and tests of jobs/guest/X.c get the guest's code; any other name gets all.
needs = $(if $(wildcard lib/$(1).c),$(A_LIB),$(if $(wildcard jobs/$(1).c),$(A_JOBS) $(A_LIB),\
	$(if $(wildcard agent/$(1).c),$(A_AGENT) $(A_JOBS) $(A_LIB),\
	$(if $(wildcard db/$(1).c),$(A_DB) $(A_JOBS) $(A_LIB),\
	$(if $(or $(filter guest%,$(1)),$(wildcard jobs/guest/$(1).c)),$(A_GUEST) $(A_JOBS) $(A_LIB),\
	$(ARCHIVES) $(A_GUEST))))))
define unit_rule
$(O)/tests/unit/test_$(1): $(O)/obj/tests/unit/test_$(1).o $(call needs,$(1))
	$$(call link,$(LIBS_CMOCKA) $(LIBS_SERVER) -lm)
endef
$(foreach t,$(patsubst tests/unit/test_%.c,%,$(UNIT_SRC)),$(eval $(call unit_rule,$(t))))
$(INTEGRATION): $(O)/tests/integration/%: $(O)/obj/tests/integration/%.o $(A_JOBS) $(A_LIB)
	$(call link,$(LIBS_BASE) -lm)
# One program a fuzzer. In an ordinary build it replays files; with libFuzzer it searches.
define fuzz_rule
$(O)/tests/fuzz/fuzz_$(1): $(O)/obj/tests/fuzz/fuzz_$(1).o \
		$(if $(findstring fuzzer,$(SAN)),,$(O)/obj/tests/fuzz/replay.o) $(call needs,$(1))
	$$(call link,$(FUZZ_LINK) $(LIBS_SERVER) -lm)
endef
$(foreach t,$(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SRC)),$(eval $(call fuzz_rule,$(t))))

## check: everything that can be tested here (tests/check.sh); installs what is missing first
check: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(O) tests/check.sh
## check-fast: lint and unit tests
check-fast: lint check-unit
## check-unit: unit tests and the fuzzers' corpora only; T=test_proc for one
UNIT_RUN := $(if $(T),$(patsubst %,$(O)/tests/unit/%,$(T)),$(UNIT) $(FUZZ_REPLAY))
check-unit: need-libs $(UNIT_RUN)
	$(Q)BUILD=$(O) tests/unit/run.sh $(UNIT_RUN)
## demo: builds a kernel with and without the faults and shows what is found
demo: deps
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)BUILD=$(O) jobs/demo/demo.sh
## defects: eleven kernels with a planted defect are each found under their own name
defects: deps
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)BUILD=$(O) jobs/demo/defects.sh $(D)
## history: the first bad one of 64 commits is found, of stand-ins at 40 % of runs and of real kernels
history: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)BUILD=$(O) tests/integration/history.sh toy 40 1 2 3 4 5 6 7 8 9 10
	$(Q)BUILD=$(O) tests/integration/history.sh real 100 1
	$(Q)BUILD=$(O) tests/integration/history.sh real 40 1
## mutants: the negative controls: each scenario fails on a kernel that is wrong in its path
mutants: deps
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)BUILD=$(O) tests/kernels/mutants.sh $(D)
## bench: measurements of the server and the agent
bench: programs
	$(Q)BUILD=$(O) tests/bench/bench.sh
## bench-dashboard: pages of a large installation, sixteen readers, results arriving
bench-dashboard: programs
	$(Q)BUILD=$(O) tests/bench/dashboard.sh
## asan: check-fast under AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan/
asan:
	$(Q)$(MAKE) --no-print-directory O=build-asan SAN=address,undefined check-fast
## tsan: unit tests under ThreadSanitizer, in build-tsan/
tsan:
	$(Q)$(MAKE) --no-print-directory O=build-tsan SAN=thread check-unit
## fuzz: every fuzzer for FUZZ_SECONDS (60) with libFuzzer, in build-fuzz/
FUZZ_SECONDS ?= 60
fuzz:
	$(Q)command -v clang >/dev/null || { echo 'fuzz needs clang and its run-time library:' \
		'apt-get install clang libclang-rt-14-dev' >&2; exit 1; }
	$(Q)$(MAKE) --no-print-directory O=build-fuzz CC=clang SAN=fuzzer-no-link,address,undefined \
		FUZZ_LINK=-fsanitize=fuzzer fuzz-run
.PHONY: fuzz-run
fuzz-run: $(FUZZ_REPLAY)
	$(Q)set -e; for f in $^; do n=$${f##*/fuzz_}; mkdir -p $(O)/corpus/$$n tests/fuzz/corpus/$$n; \
		echo "== $$n"; $$f -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 \
		-print_final_stats=1 $(O)/corpus/$$n tests/fuzz/corpus/$$n; done
## coverage: line coverage of the unit tests, in build-cov/
coverage:
	$(Q)$(MAKE) --no-print-directory O=build-cov COV_FLAGS=--coverage check-unit
	$(Q)if command -v gcovr >/dev/null; then gcovr -r . --object-directory build-cov -e tests/; else \
		find build-cov/obj -name '*.gcda' -not -path '*/tests/*' | sort | \
		xargs gcov -n -r 2>/dev/null | \
		awk '/^File/ { f = $$2 } /^Lines executed/ { split($$0, a, /[:% ]+/); \
		if (f ~ /\.c/) printf "%6.1f%%  %s\n", a[3], f; f = "" }'; fi

# ---- housekeeping ----------------------------------------------------------------------------
C_FILES := $(call src,$(foreach d,lib jobs jobs/guest jobs/guest/* db agent server cli tools \
	tests/unit tests/integration tests/fuzz tests/bench,$(d)/*.c $(d)/*.h))
## format: clang-format over our C files (F='a.c b.h' for some of them)
format:
	$(Q)clang-format -i $(if $(F),$(F),$(C_FILES))
## lint: format, direction of includes, SPDX lines, literals, sizes
lint:
	$(Q)tools/lint.sh
## deps: installs the packages that are missing (Debian, Ubuntu)
deps:
	$(Q)tools/deps.sh
## docs: checks the links in the documentation
docs:
	$(Q)tools/lint.sh --docs

## install: programs and data below $(DESTDIR)$(PREFIX)
SHARE = $(DESTDIR)$(PREFIX)/share/faultline
install: programs
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/jobs/plans $(SHARE)/jobs/kconfig
	$(Q)install -m 755 $(filter $(O)/bin/%,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/bin
	$(Q)install -m 644 $(call src,jobs/plans/*.json) $(SHARE)/jobs/plans
	$(Q)install -m 644 $(call src,jobs/kconfig/*) $(SHARE)/jobs/kconfig
	$(Q)$(if $(GUEST),install -D -m 755 $(GUEST) $(SHARE)/guest/init)

## clean: removes every build folder
clean:
	$(Q)rm -rf build build-asan build-tsan build-fuzz build-cov compile_commands.json

## compile_commands.json: for clangd and clang-tidy
JSON_SRC = $(filter %.c,$(C_FILES))
compile_commands.json: $(GEN_ALL)
	$(Q){ echo '['; sep=; for f in $(JSON_SRC); do \
		printf '%s{"directory":"%s","file":"%s","command":"%s"}' "$$sep" '$(CURDIR)' "$$f" \
		"$(CC) $(ALL_CPPFLAGS) -iquote jobs/guest $(ALL_CFLAGS) -c $$f"; sep=','; done; \
		echo; echo ']'; } > $@

help:
	@sed -n 's/^## \([^:]*\): \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		awk -F'|' '{ printf "%-24s %s\n", $$1, $$2 }'

FORCE:
-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
