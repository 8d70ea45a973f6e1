# shellcheck shell=bash disable=SC2154 # what it needs is said below
# SPDX-License-Identifier: MIT
#
# Sourced by the scripts that break the branch lazy-pgtable-checked on purpose, one patch a kernel,
# and look what the scenarios say: defects.sh and tests/kernels/mutants.sh. They share one folder,
# so that the kernel is imported once and what one of them built serves the other.
#
# In: `name` (of the script, for messages), `here` (the folder of its table, `expected`), `only`
# (the arguments). Environment: DEFECTS_DIR, DEFECTS_BUILD and DEMO_SOURCE, see defects.sh.

root=$PWD
bin=$root/${BUILD:-build}/bin
init=$root/${BUILD:-build}/guest/init
dir=${DEFECTS_DIR:-$root/${BUILD:-build}/defects}
source=${DEMO_SOURCE:-/usr/src/linux-source-6.12.tar.xz}
branch=lazy-pgtable-checked
passed=0 failed=0
read -r -a before_build <<<"${DEFECTS_BUILD:-}"

say() { echo "$name: $*" >&2; }
die() { say "$*"; exit 2; }
ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); echo "FAIL $*"; }

mkdir -p "$dir/images" "$dir/results" || exit 2
jobs/demo/import.sh "$source" "$dir/demo.git" "$bin/tar_fast_import" || exit 2
tip=$(git -C "$dir/demo.git" rev-parse "$branch")
if [ "$(git -C "$dir/src" rev-parse HEAD 2>/dev/null)" != "$tip" ]; then
	rm -rf "$dir/src"
	git -C "$dir/demo.git" worktree prune
	git -C "$dir/demo.git" worktree add -q --detach "$dir/src" "$tip" || exit 2
fi
# Only the files that differ are written, so that make compiles no others.
unpatch() { git -C "$dir/src" checkout -q -f "$tip" && git -C "$dir/src" clean -q -f -d; }
trap unpatch EXIT

# The lines of the table: its first columns are patch, config, scenario, fault and reason.
rows() { grep -v '^#' "$here/expected" | awk 'NF { print $1, $2, $3, $4, $5, $6 }'; }
wanted() { # NAME is among the arguments (none: every name is)
	local name=$1 prefix
	[ ${#only[@]} -gt 0 ] || return 0
	for prefix in "${only[@]}"; do [[ $name != "$prefix"* ]] || return 0; done
	return 1
}

# The patch: of this table, or of the planted defects, whose kernels other tables may name too, or
# what leads to another branch.
patch_file() { # PATCH
	local folder
	for folder in "$here" "$root/jobs/demo/defects"; do
		[ ! -e "$folder/$1.patch" ] || { echo "$folder/$1.patch"; return; }
	done
	git -C "$dir/demo.git" diff "$tip" "$1" >"$dir/$1.patch" || return 1
	echo "$dir/$1.patch"
}
# What an image and what its results are made from.
image_stamp() { # PATCH CONFIG
	{ echo "$tip $2"; cat "$root"/jobs/kconfig/*.config; [ "$1" = clean ] || cat "$(patch_file "$1")"; } |
		sha256sum | cut -d' ' -f1
}
result_stamp() { { image_stamp "$1" "$2"; cat "$root/jobs/plans/full.json" "$init" "$bin/faultline"; } |
	sha256sum | cut -d' ' -f1; }
up_to_date() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; } # STAMP-FILE STAMP

# build PATCH CONFIG: $dir/images/PATCH-CONFIG/ holds the kernel.
build() {
	local out=$dir/images/$1-$2 obj=$dir/work/obj/$2 stamp
	stamp=$(image_stamp "$1" "$2")
	up_to_date "$out/stamp" "$stamp" && return 0
	unpatch || return 1
	[ "$1" = clean ] || git -C "$dir/src" apply "$(patch_file "$1")" || return 1
	rm -f "$obj/arch/x86/boot/bzImage"
	say "building $1 in the configuration $2"
	# One control boots what was built; its verdict is not the point here.
	"${before_build[@]}" "$bin/faultline" run "$dir/src" --plan full --config "$2" \
		--work "$dir/work" -s control.nosplit -f none >"$dir/build.out" 2>"$dir/build.log"
	unpatch
	[ -s "$obj/arch/x86/boot/bzImage" ] || { tail -n 20 "$dir/build.log" >&2; return 1; }
	mkdir -p "$out"
	cp "$obj/arch/x86/boot/bzImage" "$obj/System.map" "$out/"
	echo "$stamp" >"$out/stamp"
}

# run RESULT PATCH CONFIG ARGUMENTS...: $dir/results/RESULT.json, and how long it took.
run() {
	local out=$dir/results/$1 image=$dir/images/$2-$3 stamp begin
	stamp="$(result_stamp "$2" "$3") ${*:4}"
	up_to_date "$out.stamp" "$stamp" && return 0
	begin=$SECONDS
	"$bin/faultline" run --kernel "$image/bzImage" --symbols "$image/System.map" --plan full \
		--work "$dir/work" --format json "${@:4}" >"$out.part" 2>"$out.log"
	jq -e '.results | length > 0' "$out.part" >/dev/null 2>&1 ||
		{ tail -n 5 "$out.log" >&2; return 1; }
	mv "$out.part" "$out.json"
	echo $((SECONDS - begin)) >"$out.seconds"
	echo "$stamp" >"$out.stamp"
}
# Failing points, or what `jq` makes of them. FILE FILTER
failures() { jq -r "[.results[] | select(.status == \"FAIL\" and (.closing | not))] | $2" "$1"; }
