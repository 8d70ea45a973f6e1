#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# import.sh SOURCE.tar.xz REPOSITORY TAR_FAST_IMPORT
#
# Makes a bare repository from a kernel source package: branch `base`, and on it the branches of
# patches/series. No work tree is made: patches are applied to an index. Commit ids depend on the
# package and on the patches alone. Run again, it sees what is there already; interrupted, it
# begins again.
set -euo pipefail

[ $# -eq 3 ] || { echo "usage: import.sh SOURCE.tar.xz REPOSITORY TAR_FAST_IMPORT" >&2; exit 64; }
source=$1 repo=$2 converter=$3
here=$(cd "$(dirname "$0")" && pwd)
patches=$here/patches

say() { echo "import: $*" >&2; }
die() { say "$*"; exit 2; }

[ -r "$source" ] || die "no kernel source at '$source' (package linux-source-6.12)"
[ -x "$converter" ] || die "no program '$converter' (run make)"

# What the result depends on: this script, the patches and the package (size and name are enough
# to notice another version; hashing 140 MB would cost more than it tells).
stamp=$( { cat "$0" "$patches"/*; basename "$source"; stat -c %s "$source"; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$repo/faultline-import" 2>/dev/null || true)" = "$stamp" ]; then
	say "up to date"
	exit 0
fi

parent=$(dirname "$repo")
mkdir -p "$parent"
free_mib=$(df -Pm "$parent" | awk 'NR == 2 { print $4 }')
[ "$free_mib" -ge 1024 ] || die "the import takes 1 GiB in '$parent', and $free_mib MiB are free"

rm -rf "$repo.part" "$repo"
git init -q --bare -b base "$repo.part"
export GIT_DIR=$repo.part
# Compression level 1: a quarter of the size of level 0, for the same time. Agents fetch the whole
# tree, so no deltas either: nobody would search them, everybody would resolve them.
git config core.compression 1
git config pack.compression 1
git config pack.window 0
git config gc.auto 0

begin=$SECONDS
"$converter" refs/heads/base "Import $(basename "$source")" <"$source" |
	git fast-import --quiet --done --depth=0
say "base: $((SECONDS - begin)) s"

begin=$SECONDS
export GIT_INDEX_FILE=$GIT_DIR/import-index
export GIT_COMMITTER_NAME=faultline GIT_COMMITTER_EMAIL=faultline@localhost
head=$(git rev-parse refs/heads/base)
git read-tree "$head"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
while read -r branch patch; do
	case $branch in '' | '#'*) continue ;; esac
	git mailinfo "$scratch/message" "$scratch/diff" <"$patches/$patch" >"$scratch/info"
	field() { sed -n "s/^$1: //p" "$scratch/info"; }
	git apply --cached --whitespace=nowarn "$scratch/diff" || die "$patch does not apply"
	tree=$(git write-tree)
	head=$( { field Subject; echo; cat "$scratch/message"; } |
		GIT_AUTHOR_NAME=$(field Author) GIT_AUTHOR_EMAIL=$(field Email) \
		GIT_AUTHOR_DATE=$(field Date) GIT_COMMITTER_DATE=$(field Date) \
		git commit-tree "$tree" -p "$head")
	git update-ref "refs/heads/$branch" "$head"
done <"$patches/series"
rm -f "$GIT_INDEX_FILE"
git update-server-info
echo "$stamp" >"$GIT_DIR/faultline-import"
mv "$repo.part" "$repo"
say "branches: $((SECONDS - begin)) s"
