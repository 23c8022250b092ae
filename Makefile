# SPDX-License-Identifier: GPL-2.0-or-later
#
#   make            build everything into build/
#   make demo       see it at work, in namespaces of its own     (root)
#                   DEMO=--keep: with its page, until Ctrl-C
#   make test       all tests                                    (root)
#   make test-page  the exporter's page, in Chromium             (root)
#   make soak       e2e and prog over and over, RUNS=20 times    (root)
#   make test-bare  demo and test, on a bare Debian 12           (root)
#   make install    PREFIX and DESTDIR are honoured
#   make deb        a Debian package, in build/                  (root, if packages are missing)
#   make test-deb   build it, install it, purge it               (root)
#   make image      an OCI image of it, in build/image           (root, if packages are missing)
#   make test-fleet that image, Kubernetes, Ansible              (root)
#
# V=1 shows the commands. `make demo` and `make test` install the Debian packages that are missing.

PREFIX	?= /usr/local
DESTDIR	?=
SBINDIR		?= $(PREFIX)/sbin
UNITS		?= $(PREFIX)/lib/systemd/system
SYSUSERS	?= $(PREFIX)/lib/sysusers.d
TMPFILES	?= $(PREFIX)/lib/tmpfiles.d
PROMETHEUS	?= $(PREFIX)/share/synward/prometheus
BASH_COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS	?= $(PREFIX)/share/zsh/site-functions
V	?= 0
ifeq ($(V),0)
Q	:= @
say	= @printf '  %-7s %s\n' "$(1)" "$(2)"
else
Q	:=
say	=
endif

B		:= build
VERSION		:= $(shell cat VERSION)
CLANG		?= clang
BPFTOOL		?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PYTHON		?= /usr/bin/python3
WARNINGS	:= -Wall -Wextra -Werror
CFLAGS		?= -O2 -g
CPPFLAGS_ALL	:= -Iinclude -I$(B)/bpf -D_GNU_SOURCE -DSYNWARD_VERSION='"$(VERSION)"' $(CPPFLAGS)
# functions apart, so that a program may do without those that it never calls
CFLAGS_ALL	:= -std=gnu11 $(WARNINGS) -ffunction-sections -fdata-sections $(CFLAGS)
# a symbol that is bound late has the registers put on the stack, with what is in them of a secret
LDFLAGS_ALL	:= -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS		:= -lbpf -lelf -lz -ljansson -lcap-ng -lmnl -lpcap -lcyaml -lyaml -lncursesw -ltinfo -lnettle -lm
EXPORTER_LIBS	:= -levent_extra -levent_core
BPF_FLAGS	:= -O2 -g -target bpf -mcpu=v3 $(WARNINGS) -Ivmlinux -Iinclude
SAN_FLAGS	:= -O1 -g -std=gnu11 $(WARNINGS) -Iinclude -fno-omit-frame-pointer \
		   -fsanitize=address,undefined -fno-sanitize-recover=all
DEPS		= -MMD -MP -MF $@.d -MT $@

EXPORTER_SOURCES := $(wildcard user/exporter/*.c)
PAGE		:= $(wildcard user/exporter/page/*) $(addprefix third_party/uplot/,uPlot.iife.min.js uPlot.min.css LICENSE)
EXPORTER_OBJECTS := $(EXPORTER_SOURCES:%.c=$(B)/%.o) $(PAGE:%=$(B)/page/%.o)
USER_SOURCES	:= $(filter-out $(EXPORTER_SOURCES),$(wildcard user/*.c user/*/*.c))
USER_OBJECTS	:= $(USER_SOURCES:%.c=$(B)/%.o)
LIB_OBJECTS	:= $(filter-out $(B)/user/main.o $(B)/user/cmd/%,$(USER_OBJECTS))
BPF_SOURCES	:= bpf/synward.bpf.c bpf/synward_tc.bpf.c bpf/refusal.bpf.c $(wildcard bench/*.bpf.c tests/*/*.bpf.c)
BPF_SKELETONS	:= $(patsubst %.bpf.c,$(B)/bpf/%.skel.h,$(notdir $(BPF_SOURCES)))
UNIT_TESTS	:= $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
PROG_TESTS	:= $(patsubst %.c,$(B)/%,$(wildcard tests/prog/test_*.c tests/model/test_*.c \
		   tests/config/test_*.c))
FUZZERS		:= $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCHES		:= $(patsubst %.c,$(B)/%,$(filter-out %.bpf.c,$(wildcard bench/bench_*.c)))
FLOOD_TOOLS	:= $(addprefix $(B)/bench/,flood honest_client honest_server)
COMMANDS	:= $(shell sed -n 's/^\t\.name = "\([a-z-]*\)",$$/\1/p' user/cmd/*.c)
MAN_PAGES	:= $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd)) \
		   $(COMMANDS:%=$(B)/man/synward-%.8) $(B)/man/synward-semantics.7 $(B)/man/synward.yaml.5
DESCRIBE	:= $(B)/packaging/describe/describe
COMPLETIONS	:= $(addprefix $(B)/completions/,synward _synward synward-exporter _synward-exporter)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps unit config packaging prog model fuzz fuzz-short oracle replay e2e field runner check test soak test-kernels \
	page test-page vendor test-bare test-deb image test-image test-fleet bench bench-flood bench-scrape bench-cost demo deb man install uninstall clean tests format
vpath %.bpf.c bpf bench $(sort $(dir $(wildcard tests/*/*.bpf.c)))

all: $(BPF_SKELETONS) $(B)/synward $(B)/synward-exporter man $(COMPLETIONS)

# ---- the BPF side

$(B)/bpf/%.bpf.o: %.bpf.c
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -MF $@.d -MT $@ -c $< -o $@

$(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o bpf/make-skeleton
	$(call say,SKEL,$@)
	$(Q)BPFTOOL=$(BPFTOOL) bpf/make-skeleton $< $* >$@

# ---- the host side

$(B)/%.o: %.c VERSION | $(BPF_SKELETONS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(DEPS) -c $< -o $@

$(B)/synward: $(USER_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ $(LIBS) -o $@

# The linker names its symbols after what it is told: the name alone.
$(PAGE:%=$(B)/page/%.o): $(B)/page/%.o: %
	$(call say,DATA,$<)
	@mkdir -p $(@D)
	$(Q)cd $(<D) && $(LD) -r -b binary -z noexecstack -o $(abspath $@) $(<F)

# Only what it needs of the rest, and of the libraries: not what attaches, nor the BPF programs.
$(B)/exporter.a: $(LIB_OBJECTS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(B)/synward-exporter: $(EXPORTER_OBJECTS) $(B)/exporter.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ -Wl,--gc-sections -Wl,--as-needed $(EXPORTER_LIBS) $(LIBS) -o $@

# ---- what is made of the tables of commands and options

$(DESCRIBE): $(patsubst %.c,$(B)/%.o,$(wildcard packaging/describe/*.c)) \
		$(filter-out $(B)/user/main.o,$(USER_OBJECTS)) $(B)/user/exporter/exporter_options.o $(B)/user/exporter/listen.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ $(LIBS) -o $@
$(B)/completions/synward: KIND := bash
$(B)/completions/_synward: KIND := zsh
$(B)/completions/synward-exporter: KIND := exporter-bash
$(B)/completions/_synward-exporter: KIND := exporter-zsh
$(COMPLETIONS): $(DESCRIBE)
	$(call say,MAKE,$@)
	@mkdir -p $(@D)
	$(Q)$(DESCRIBE) $(KIND) >$@

# ---- tests and benchmarks

$(B)/tests/unit/%: tests/unit/%.c
	$(call say,TEST,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN_FLAGS) $(DEPS) $< -lcmocka -ljansson -lnettle -lm -o $@

$(B)/tests/fuzz/%: tests/fuzz/%.c
	$(call say,FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(SAN_FLAGS) -fsanitize=fuzzer $(DEPS) $< $(FUZZ_WITH) -o $@
# what reads YAML is too many files to be one with its fuzzer
FUZZ_POLICY_SOURCES := $(wildcard user/config/*.c user/model/*.c user/base/*.c) $(addprefix user/text/,options.c prose.c table.c width.c wrap.c)
$(B)/tests/fuzz/fuzz_policy: $(FUZZ_POLICY_SOURCES)
$(B)/tests/fuzz/fuzz_policy: FUZZ_WITH = -D_GNU_SOURCE $(FUZZ_POLICY_SOURCES) -lcyaml -lyaml -ljansson -lnettle -lm

$(B)/tests/% $(B)/bench/%: %.c
$(PROG_TESTS) $(BENCHES): $(B)/%: %.c $(LIB_OBJECTS) | $(BPF_SKELETONS)
	$(call say,TEST,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(DEPS) $< $(LIB_OBJECTS) $(LIBS) -lcmocka -o $@

$(FLOOD_TOOLS): $(B)/bench/%: $(B)/bench/%.o $(LIB_OBJECTS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $^ $(LIBS) -o $@
$(B)/bench/flood: $(B)/bench/guard.o

tests: $(UNIT_TESTS) $(PROG_TESTS) $(FUZZERS) $(FLOOD_TOOLS)

unit: $(UNIT_TESTS)
	$(Q)tests/run unit
config: all $(filter $(B)/tests/config/%,$(PROG_TESTS))
	$(Q)tests/run config
prog: $(filter $(B)/tests/prog/%,$(PROG_TESTS))
	$(Q)tests/run prog
model: $(filter $(B)/tests/model/%,$(PROG_TESTS))
	$(Q)tests/run model
fuzz-short: $(FUZZERS)
	$(Q)tests/run fuzz
fuzz: $(FUZZERS)
	$(Q)FUZZ_SECONDS=$${FUZZ_SECONDS:-600} tests/run fuzz
oracle replay runner field packaging: all
	$(Q)tests/run $@
e2e: all $(FLOOD_TOOLS)
	$(Q)tests/run e2e
test-kernels: deps
	$(Q)packaging/install-deps emulator
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all $(B)/tests/prog/test_sequences
	$(Q)tests/run vm
test-bare:	# 77: there is no debootstrap
	$(Q)tests/bare/bare || [ $$? = 77 ]
check: all
	$(Q)tests/run check

# The exporter's page needs a browser: make test looks at it only where there is one.
CHROMIUM	= $(shell command -v chromium)
page:
	$(Q)tests/page/fetch-axe $(B)/axe
	$(Q)tests/run page
test-page: deps
	$(Q)packaging/install-deps page
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all
	$(Q)$(MAKE) --no-print-directory page

# Fetches anew what others have made, by its lock; its digests are checked by `make check`.
vendor:
	$(Q)third_party/vendor

test: deps
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all tests
	$(if $(CHROMIUM),$(Q)tests/page/fetch-axe $(B)/axe)
	$(Q)tests/run check red runner unit config packaging fuzz prog model oracle replay e2e field floor $(if $(CHROMIUM),page)

RUNS		?= 20
soak: deps
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all tests
	$(Q)tests/soak $(RUNS) $(SOAK)

bench: deps
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all $(BENCHES)
	$(Q)for bench in $(BENCHES); do $$bench || exit 1; done

bench-flood: deps
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all $(FLOOD_TOOLS)
	$(Q)$(PYTHON) -B bench/flood.py $(FLOOD)

bench-scrape: deps
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all $(FLOOD_TOOLS)
	$(Q)$(PYTHON) -B bench/scrape.py $(SCRAPE)

bench-cost: deps
	$(Q)packaging/install-deps bench-cost
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all $(FLOOD_TOOLS)
	$(Q)$(PYTHON) -B bench/cost.py $(COST)

deb:
	$(Q)packaging/install-deps deb
	$(call say,DEB,$(B)/synward_$(VERSION)_*.deb)
	$(Q)packaging/make-deb $(B)

test-deb: deb
	$(Q)packaging/install-deps deb-tests
	$(Q)packaging/install-deps emulator
	$(Q)tests/run deb

image: deb
	$(Q)packaging/install-deps image
	$(call say,IMAGE,$(B)/image)
	$(Q)packaging/make-image $(B)/synward_$(VERSION)_*.deb $(B)/image

test-image: image
	$(Q)packaging/install-deps fleet
	$(Q)tests/run image

test-fleet: test-image
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all
	$(Q)tests/fleet/schema/get $(B)/schema || [ $$? = 77 ]
	$(Q)tests/run fleet

demo: deps
	$(Q)$(MAKE) -j"$$(nproc)" --no-print-directory all
	$(Q)$(PYTHON) tests/demo/demo.py $(DEMO)

deps:
	$(Q)packaging/install-deps

# ---- the rest

man: $(MAN_PAGES)
$(B)/man/synward-semantics.7: docs/make-semantics $(wildcard include/synward/*.h)
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)CC=$(CC) $(PYTHON) docs/make-semantics --man | scdoc >$@
$(B)/man/synward.yaml.5: docs/make-policy-page docs/policy.md
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) docs/make-policy-page | scdoc >$@
$(COMMANDS:%=$(B)/man/synward-%.8): $(B)/man/synward-%.8: $(DESCRIBE)
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)$(DESCRIBE) page $* | scdoc >$@
$(B)/man/%: docs/man/%.scd
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)scdoc <$< >$@

install: all
	install -D -m 0755 -t $(DESTDIR)$(SBINDIR) $(B)/synward $(B)/synward-exporter
	mkdir -p $(DESTDIR)$(UNITS)
	for unit in synward@ synward-exporter synward-events; do \
		sed 's|@SBINDIR@|$(SBINDIR)|' packaging/systemd/$$unit.service.in >$(DESTDIR)$(UNITS)/$$unit.service || exit 1; \
	done
	install -D -m 0644 packaging/systemd/sysusers.conf $(DESTDIR)$(SYSUSERS)/synward.conf
	install -D -m 0644 packaging/systemd/tmpfiles.conf $(DESTDIR)$(TMPFILES)/synward.conf
	[ -e $(DESTDIR)/etc/synward/attach.yaml ] || \
		install -D -m 0644 packaging/attach.yaml $(DESTDIR)/etc/synward/attach.yaml
	install -D -m 0644 -t $(DESTDIR)$(BASH_COMPLETIONS) $(B)/completions/synward $(B)/completions/synward-exporter
	install -D -m 0644 -t $(DESTDIR)$(ZSH_COMPLETIONS) $(B)/completions/_synward $(B)/completions/_synward-exporter
	for page in $(MAN_PAGES); do \
		install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/doc/synward/examples docs/examples/*.yaml packaging/logrotate
	install -D -m 0644 -t $(DESTDIR)$(PROMETHEUS) $(wildcard packaging/prometheus/*)
	sed -i 's|/usr/sbin/|$(SBINDIR)/|; s|/usr/share/synward/prometheus|$(PROMETHEUS)|' \
		$(DESTDIR)$(PROMETHEUS)/synward-textfile.service $(DESTDIR)$(PROMETHEUS)/prometheus.yml

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/synward $(DESTDIR)$(PREFIX)/share/synward
	! cmp -s packaging/attach.yaml $(DESTDIR)/etc/synward/attach.yaml || \
		rm $(DESTDIR)/etc/synward/attach.yaml
	rm -f $(DESTDIR)$(SBINDIR)/synward $(DESTDIR)$(SBINDIR)/synward-exporter \
		$(DESTDIR)$(UNITS)/synward@.service $(DESTDIR)$(UNITS)/synward-exporter.service \
		$(DESTDIR)$(UNITS)/synward-events.service \
		$(DESTDIR)$(SYSUSERS)/synward.conf $(DESTDIR)$(TMPFILES)/synward.conf \
		$(addprefix $(DESTDIR)$(BASH_COMPLETIONS)/,synward synward-exporter) \
		$(addprefix $(DESTDIR)$(ZSH_COMPLETIONS)/,_synward _synward-exporter)
	for page in $(MAN_PAGES); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done

format:
	$(Q)git ls-files '*.c' '*.h' | grep -v '^vmlinux/' | xargs clang-format -i

clean:
	$(Q)rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
