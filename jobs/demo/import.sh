#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# import.sh SOURCE.tar.xz REPOSITORY TAR_FAST_IMPORT
#
# Makes a bare repository from a kernel source package: branch `base`, and on it the branches of
# patches/series. No work tree is made: patches are applied to an index. Commit ids depend on the
# package and on the patches alone. Run again, it sees what is there already, and when only the
# patches changed it makes only the branches; interrupted, it begins again.
set -euo pipefail

[ $# -eq 3 ] || { echo "usage: import.sh SOURCE.tar.xz REPOSITORY TAR_FAST_IMPORT" >&2; exit 64; }
source=$1 repo=$2 converter=$3
here=$(cd "$(dirname "$0")" && pwd)
patches=$here/patches
# Nobody's own configuration (attributes, filters, signing) may change what comes out.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE GIT_OBJECT_DIRECTORY

say() { echo "import: $*" >&2; }
die() { say "$*"; exit 2; }
now() { date +%s%N; }
phase() { say "$1: $(awk -v ns=$(($(now) - begin)) 'BEGIN { printf "%.1f", ns / 1e9 }') s"; }

[ -r "$source" ] || die "no kernel source at '$source' (package linux-source-6.12)"
[ -x "$converter" ] || die "no program '$converter' (run make)"

# What the base depends on: its name and size are enough to notice another version of the package;
# hashing 150 MB would cost more than it tells. What the branches depend on, besides: the patches.
stamp_base=$(basename "$source" && stat -Lc %s "$source")
stamp_base=$(sha256sum <<<"$stamp_base" | cut -d' ' -f1)
stamp=$(cat "$0" "$patches"/* - <<<"$stamp_base" | sha256sum | cut -d' ' -f1)

# The state file: the two stamps, then every branch with its commit.
state() { echo "base $stamp_base"; echo "all $stamp"; git -C "$1" for-each-ref --format='%(refname) %(objectname)'; }
recorded() { sed -n "s|^$1 ||p" "$repo/faultline-import" 2>/dev/null || true; }

if [ -e "$repo" ]; then
	[ -s "$repo/faultline-import" ] || [ -z "$(ls -A "$repo")" ] ||
		die "'$repo' exists and was not made by this script: remove it or name another"
	if [ "$(cat "$repo/faultline-import" 2>/dev/null)" = "$(state "$repo" 2>/dev/null)" ]; then
		say "up to date"
		exit 0
	fi
fi

import_base() { # into $repo.part
	local parent free_mib
	parent=$(dirname "$repo")
	mkdir -p "$parent"
	free_mib=$(df -Pm "$parent" | awk 'NR == 2 { print $4 }')
	[ "$free_mib" -ge 1024 ] ||
		die "the import takes 1 GiB in '$parent', and $free_mib MiB are free"
	rm -rf "$repo.part"
	git init -q --bare -b base "$repo.part"
	# Compression level 1: a quarter of the size of level 0, and what is saved in writing pays
	# for the compressing. Agents fetch the whole tree, so no deltas either: nobody would search
	# them, everybody would resolve them.
	git -C "$repo.part" config core.compression 1
	git -C "$repo.part" config pack.compression 1
	git -C "$repo.part" config pack.window 0
	git -C "$repo.part" config gc.auto 0
	begin=$(now)
	# shellcheck disable=SC2094 # basename reads the name only
	"$converter" refs/heads/base "Import $(basename "$source")" <"$source" |
		git -C "$repo.part" fast-import --quiet --done --depth=0
	phase base
}

import_branches() { # import_branches GIT_DIR
	local head branch patch tree ref
	local -A tips=()
	export GIT_DIR=$1 GIT_INDEX_FILE=$scratch/index
	export GIT_COMMITTER_NAME=faultline GIT_COMMITTER_EMAIL=faultline@localhost
	begin=$(now)
	head=$(git rev-parse --verify refs/heads/base^0)
	git read-tree "$head"
	while read -r branch patch; do
		case $branch in '' | '#'*) continue ;; esac
		git mailinfo "$scratch/message" "$scratch/diff" <"$patches/$patch" >"$scratch/info"
		field() { sed -n "s/^$1: //p" "$scratch/info"; }
		git apply --cached --whitespace=nowarn "$scratch/diff" || die "$patch does not apply"
		tree=$(git write-tree)
		head=$({ field Subject; echo; cat "$scratch/message"; } |
			GIT_AUTHOR_NAME=$(field Author) GIT_AUTHOR_EMAIL=$(field Email) \
				GIT_AUTHOR_DATE=$(field Date) GIT_COMMITTER_DATE=$(field Date) \
				git commit-tree "$tree" -p "$head")
		tips[refs/heads/$branch]=$head
	done <"$patches/series"
	# All at once: who follows the repository must not see half a branch.
	{
		for ref in "${!tips[@]}"; do echo "update $ref ${tips[$ref]}"; done
		git for-each-ref --format='%(refname)' | while read -r ref; do
			[ "$ref" = refs/heads/base ] || [ -n "${tips[$ref]:-}" ] || echo "delete $ref"
		done
	} | git update-ref --stdin
	git update-server-info
	unset GIT_DIR GIT_INDEX_FILE
	phase branches
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
base_ref=$(recorded refs/heads/base)
if [ "$(recorded base)" = "$stamp_base" ] &&
	[ "$(git -C "$repo" rev-parse --verify -q refs/heads/base)" = "$base_ref" ]; then
	import_branches "$repo"
else
	import_base
	import_branches "$repo.part"
	rm -rf "$repo"
	mv "$repo.part" "$repo"
fi
state "$repo" >"$scratch/state"
cp "$scratch/state" "$repo/faultline-import.part"
mv "$repo/faultline-import.part" "$repo/faultline-import"
