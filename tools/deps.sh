#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# deps.sh: installs the Debian or Ubuntu packages that are missing; does nothing, fast, when none is.
#
#   tools/deps.sh           check and install
#   tools/deps.sh --check   only say what is missing (exit 1)
#   tools/deps.sh --list    the packages, one a line
set -euo pipefail

# What the programs need to be built and to run.
packages=(
	gcc make pkg-config git musl-tools ccache bubblewrap qemu-system-x86
	libmicrohttpd-dev libgit2-dev libsqlite3-dev libjson-c-dev libsodium-dev
	libcurl4-openssl-dev libzstd-dev zlib1g-dev libinih-dev libarchive-dev ca-certificates
)
# What a kernel needs to be built, and the kernel that demo and check build.
packages+=(flex bison bc perl libelf-dev libssl-dev xz-utils)
kernel_source=linux-source-6.12
# What the tests need.
packages+=(libcmocka-dev clang-format curl sqlite3 jq libxml2-utils nodejs chromium python3)
# Node.js from elsewhere brings its own npm, which Debian's package would conflict with.
command -v npm >/dev/null || packages+=(npm)
# What the bench's other side runs in its machine.
packages+=(bash-static busybox-static cpio)
# What programs of the kernel's own selftests link, statically.
packages+=(libcap-dev libnuma-dev liburing-dev)

# The demo: unpacked source 1.6, one build tree 2 to 4, a second commit's objects and the cache 4,
# images and logs 1; rounded up.
need_gib=12

say() { printf 'deps: %s\n' "$*" >&2; }

missing_packages() {
	# One call for all: "name:status" of those dpkg knows.
	local known
	known=$(dpkg-query -W -f='${Package}:${db:Status-Status}\n' "${packages[@]}" "$kernel_source" \
		2>/dev/null || true)
	for p in "${packages[@]}" "$kernel_source"; do
		[[ $'\n'$known$'\n' == *$'\n'"$p:installed"$'\n'* ]] || printf '%s\n' "$p"
	done
}

free_gib() { # of the file system that holds the repository
	df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }'
}

if [[ ${1:-} == --list ]]; then
	printf '%s\n' "${packages[@]}" "$kernel_source"
	exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	say "not Debian or Ubuntu: install the counterparts of these yourself:"
	say "${packages[*]} and the source of a 6.12 kernel"
	exit 0
fi
if (($(free_gib) < need_gib)); then
	say "only $(free_gib) GiB free here; 'make demo' and 'make check' take up to $need_gib GiB" \
		"(kernel source, build tree, compiler cache)"
fi

mapfile -t missing < <(missing_packages)
((${#missing[@]})) || exit 0
if [[ ${1:-} == --check ]]; then
	say "missing: ${missing[*]}"
	exit 1
fi

root=()
if ((EUID != 0)); then
	if ! sudo -n true 2>/dev/null; then
		say "missing: ${missing[*]}"
		say "run this as root: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
		exit 1
	fi
	root=(sudo -n)
fi

export DEBIAN_FRONTEND=noninteractive
apt() {
	# env: sudo drops the variable.
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@"
}
say "installing: ${missing[*]}"
apt update >&2
# A release that has no 6.12 source still has one of its own: the programs do not depend on it.
if [[ " ${missing[*]} " == *" $kernel_source "* ]] &&
	! apt-cache show "$kernel_source" >/dev/null 2>&1; then
	say "this release has no $kernel_source: give 'faultline run' a kernel tree instead"
	mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx "$kernel_source")
fi
((${#missing[@]})) || exit 0
# How much disk: apt says it, so its answer is shown and not hidden.
apt install --no-install-recommends "${missing[@]}" >&2
mapfile -t still < <(missing_packages)
if ((${#still[@]})) && [[ ${still[*]} != "$kernel_source" ]]; then
	say "still missing: ${still[*]}"
	exit 1
fi
say "done; $(free_gib) GiB free"
