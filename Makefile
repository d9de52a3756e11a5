# The front door. Meson does the work; this knows where, and fetches what is missing first.
#
#   make            build/tcpwhy
#   make run        build, then diagnose this host (ARGS='list --state close-wait' for another command)
#   make check      every test; tools/check unit lint … for some of them
#   make bench      speed and memory against ss, netstat and lsof (SOCKETS='2000 200000' for other sizes), and of captures
#                   against grep and awk
#   make install    to $(DESTDIR)$(prefix)
#   make format     lay the C code out as .clang-format says; `make check` asks for it
#   make clean      remove everything that was built
#   make help       this list

prefix = /usr/local
SOCKETS =
ARGS =

# The system's own tools first: a python3 from elsewhere does not see the system's Meson or pytest.
export PATH := /usr/bin:/bin:/usr/sbin:/sbin:$(PATH)

all: build/build.ninja
	@ninja -C build

build/build.ninja: | setup-build
	meson setup build --prefix=$(abspath $(prefix))

# Without the build's own words. Exit status 1 and 2 are a diagnosis, 3 is a failure.
run: build/build.ninja
	@ninja -C build --quiet >&2
	@build/tcpwhy $(ARGS); status=$$?; [ $$status -le 2 ] || exit $$status

check: setup-check
	@tools/check

bench: setup-check build/build.ninja
	@ninja -C build --quiet >&2
	@tests/bench/run $(SOCKETS); sockets=$$?; \
	echo; echo '### Text captures'; echo; tests/bench/capture 300000 && exit $$sockets

install: all
	meson configure build -Dprefix=$(abspath $(prefix))
	DESTDIR=$(DESTDIR) meson install -C build

format:
	clang-format -i $$(git ls-files '*.[ch]')

clean:
	rm -rf build

help:
	@sed -n 's/^#   //p' Makefile

setup-build:
	@tools/setup build

setup-check:
	@tools/setup check

.PHONY: all run check bench install format clean help setup-build setup-check
