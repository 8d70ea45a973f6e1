#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# lint.sh: the rules of the house that a machine can check. One line a finding, exit 1 if there are
# any; warnings do not fail.
#
#   tools/lint.sh           everything
#   tools/lint.sh --docs    only the links in the documentation
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
export LC_ALL=C
findings=0
finding() {
	printf '%s\n' "$*"
	findings=$((findings + 1))
}
warning() { printf 'warning: %s\n' "$*"; }

# Tracked files and those about to be: what git ignores is not ours. Vendored code keeps its style.
files() { git ls-files -co --exclude-standard -- "$@" 2>/dev/null | grep -v '/vendor/' | sort -u |
	while IFS= read -r f; do [[ -f $f ]] && printf '%s\n' "$f"; done; }

# ---- documentation ---------------------------------------------------------------------------
check_links() {
	local doc target
	while IFS= read -r doc; do
		while IFS= read -r target; do
			target=${target%%#*}
			[[ -z $target || $target == *://* || $target == mailto:* ]] && continue
			[[ -e $(dirname "$doc")/$target ]] || finding "$doc: dead link: $target"
		done < <(grep -o '](\([^)]*\))' "$doc" | sed 's/^](//; s/)$//; s/ ".*//')
	done < <(files '*.md')
}

# ---- format ----------------------------------------------------------------------------------
check_format() {
	command -v clang-format >/dev/null || {
		warning "clang-format is not installed"
		return
	}
	local bad
	bad=$(printf '%s\n' "${c_files[@]}" | xargs -r clang-format --dry-run -Werror 2>&1 |
		sed -n 's/^\([^ :]*:[0-9]*\):[0-9]*: error: .*/\1/p' | sort -u -t: -k1,1)
	while IFS= read -r line; do
		[[ -n $line ]] && finding "$line: not formatted ('make format F=${line%%:*}')"
	done <<<"$bad"
}

# ---- direction of includes -------------------------------------------------------------------
# room: the folders whose headers it may include
declare -A may=(
	[lib]='lib'
	[jobs]='lib jobs'
	[db]='lib jobs db'
	[agent]='lib jobs agent'
	[server]='lib jobs db agent server'
	[cli]='lib jobs agent cli'
	[tools]='lib tools'
)
generated='version.h db_queries.h templates.h static_files.h'

check_includes() {
	local file inc room
	while IFS=: read -r file _ inc; do
		inc=${inc#*\"} inc=${inc%\"*}
		if [[ $file == jobs/guest/* ]]; then
			[[ $inc != */* || -f jobs/guest/$inc || $inc == jobs/guest/* ]] ||
				finding "$file: jobs/guest stands alone, but includes $inc"
			continue
		fi
		room=${file%%/*}
		[[ -n ${may[$room]:-} ]] || continue
		case " $generated " in *" $inc "*) continue ;; esac
		case " ${may[$room]} " in
		# The guest's tables (*.def) are data that both sides read.
		*" ${inc%%/*} "*) [[ $inc != jobs/guest/* || $inc == *.def ]] || finding "$file: includes the guest's $inc" ;;
		*) finding "$file: $room/ may not include $inc" ;;
		esac
	done < <(grep -n '^ *# *include *"' "${c_files[@]}" /dev/null)
}

check_owner() { # check_owner HEADER REGEX-OF-FILES WHO
	local file
	while IFS= read -r file; do
		[[ $file =~ $2 ]] || finding "$file: only $3 includes <$1>"
	done < <(grep -l "^ *# *include *<$1>" "${c_files[@]}" /dev/null)
}

# ---- texts -----------------------------------------------------------------------------------
check_spdx() {
	local file
	while IFS= read -r file; do
		head -5 "$file" | grep -q 'SPDX-License-Identifier:' || finding "$file: no SPDX line"
	done < <(files '*.c' '*.h' '*.sh' '*.sql' '*.js' '*.css' '*.html' '*.config' Makefile .ci/run \
		'*.py' '*.pl')
}

# Patterns of calls and literals that must not be in our C. Comment lines do not count.
forbid() { # forbid REGEX WHAT FILE...
	local regex=$1 what=$2 hit
	shift 2
	(($#)) || return 0
	while IFS= read -r hit; do
		finding "${hit%%:*}:$(cut -d: -f2 <<<"$hit"): $what"
	done < <(grep -nE "$regex" "$@" /dev/null | grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)')
}

in_rooms() { # in_rooms ROOM...: the C files of these rooms
	local f r
	for f in "${c_files[@]}"; do
		for r in "$@"; do [[ $f == "$r"/* ]] && printf '%s\n' "$f"; done
	done
}

check_sizes() {
	local n f
	while read -r n f; do
		[[ $f == total ]] && continue
		if ((n > 600)); then
			finding "$f: $n lines (at most 600)"
		elif ((n > 500)); then
			warning "$f: $n lines (aim for 500)"
		fi
	done < <(printf '%s\0' "${c_files[@]}" | xargs -0 -r wc -l)
}

check_shell() {
	command -v shellcheck >/dev/null || {
		warning "shellcheck is not installed"
		return
	}
	local hit
	while IFS= read -r hit; do
		[[ -n $hit ]] && finding "$hit"
	done < <(files '*.sh' .ci/run | xargs -r shellcheck -S warning -f gcc 2>&1)
}

check_links
if [[ ${1:-} != --docs ]]; then
	mapfile -t c_files < <(files '*.c' '*.h')
	check_format
	check_includes
	check_owner microhttpd.h '^server/http\.c$' server/http.c
	check_owner sqlite3.h '^db/|^tools/queries\.c$|^tests/' 'db/ (and its generator)'
	check_owner git2.h '^server/(tracker[a-z_]*|revlist|range_internal)\.[ch]$|^tests/' \
		'server/tracker*.c and server/revlist.c'
	check_spdx
	mapfile -t apps < <(in_rooms server cli agent)
	mapfile -t all < <(in_rooms lib jobs db agent server cli)
	mapfile -t no_db < <(in_rooms lib jobs agent server cli)
	forbid '"[[:space:]]*(SELECT .* FROM|INSERT (OR [A-Z]+ )?INTO|UPDATE .* SET|DELETE FROM|CREATE (TABLE|INDEX)|PRAGMA )' \
		'SQL in C (it belongs into db/*.sql)' ${no_db[@]+"${no_db[@]}"}
	forbid '"[^"]*<(/?(html|head|body|div|span|p|a|h[1-6]|table|tr|td|th|ul|li|script|style|form|input|br|pre)( |>|/)|!DOCTYPE)' \
		'HTML in C (it belongs into web/templates)' ${apps[@]+"${apps[@]}"}
	forbid '(^|[^a-z_A-Z0-9])(system|popen)[[:space:]]*\(' \
		'no shell: use lib/proc.h' "${c_files[@]}"
	forbid '(^|[^a-z_A-Z0-9])(strcat|sprintf|vsprintf|gets|strtok|atoi|atol|tmpnam|mktemp)[[:space:]]*\(' \
		'unsafe function' ${all[@]+"${all[@]}"}
	check_sizes
	check_shell
fi
if ((findings)); then
	echo "lint: $findings findings"
	exit 1
fi
echo "lint: ok"
