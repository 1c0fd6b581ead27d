#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# manpages.sh - the pages say what the programs do, and mandoc likes them
#
# Every program in $BUILD/bin has a page with EXIT STATUS and EXAMPLES in
# which each option of its --help stands; the pages of programs with a console name
# each command of their consoles; the library's functions have a page. Called at
# the root of the tree.
set -u
BUILD=${BUILD:-$PWD/build}
n=0 bad=0
tmp=$(mktemp -d /tmp/vde-man.XXXXXX) || exit 1
daemons=()
trap '[ ${#daemons[@]} -eq 0 ] || kill "${daemons[@]}" 2>/dev/null
	rm -rf "$tmp"' EXIT

# point SENTENCE PROBLEMS: ok if there is none.
point()
{
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
		bad=1
	fi
}

# The text of a page, without overstriking.
text_of()
{
	mandoc -T ascii -O width=500 "$1" | sed 's/.\x08//g'
}

# The options --help lists, one a line, as -x or --name.
options_of()
{
	"$1" --help | sed -n 's/^ *-/-/p' | sed 's/  .*//' |
		grep -oE '(^|[ ,])--?[A-Za-z0-9][-A-Za-z0-9]*' | tr -d ' ,'
}

# missing_words TEXT: those lines of stdin that do not stand in it as a word.
missing_words()
{
	local w

	local some=

	while read -r w; do
		some=yes
		grep -qE -e "(^|[^-A-Za-z0-9/])$w([^-A-Za-z0-9/]|\$)" \
			<<<"$1" || echo "$w is not in the page"
	done
	[ -n "$some" ] || echo "nothing to look for was found"
}

command -v mandoc >/dev/null || {
	echo "skip: no mandoc"
	exit 77
}

for p in "$BUILD"/bin/*; do
	[ -L "$p" ] && continue
	name=${p##*/}
	page=man/$name.1
	if [ ! -e "$page" ]; then
		point "$name has a page" "no $page"
		continue
	fi
	text=$(text_of "$page")
	point "$name: every option is in its page" \
		"$(options_of "$p" | sort -u | missing_words "$text")"
	point "$name: the page has exit status and examples" "$(
		for s in 'EXIT STATUS' EXAMPLES; do
			grep -q "^$s" <<<"$text" || echo "no $s"
		done
	)"
done

for f in vde_open vde_recv vde_send vde_datafd vde_ctlfd vde_close \
	vde_open_batch vde_recv_batch vde_send_batch vde_sendfd vde_offloads \
	vdestream_open vdestream_send vdestream_recv vdestream_close; do
	grep -qsw "$f" man/*.3 || echo "$f is in no page"
done >"$tmp/functions"
point "every function of the library has a page" "$(cat "$tmp/functions")"

# console NAME: a point. Every command of the program behind $tmp/NAME.mgmt,
# which is ready when $tmp/ready says so. After the heading, a command with a
# menu's "=" is no command.
console()
{
	daemons+=("$!")
	read -rt 10 _ <"$tmp/ready"
	point "$1: every console command is in its page" "$(
		"$BUILD/bin/unixcmd" -s "$tmp/$1.mgmt" help |
			sed '1,/^------/d' | grep -v '====' |
			awk '{ print $1 }' |
			missing_words "$(text_of "man/$1.1")"
	)"
}

mkfifo "$tmp/ready" "$tmp/in" "$tmp/out"
if [ -x "$BUILD/bin/vde_switch" ]; then
	"$BUILD/bin/vde_switch" --nostdin -s "$tmp/ctl" \
		-M "$tmp/vde_switch.mgmt" --ready-fd 9 9>"$tmp/ready" &
	console vde_switch
fi
if [ -x "$BUILD/bin/wirefilter" ]; then
	"$BUILD/bin/wirefilter" -M "$tmp/wirefilter.mgmt" --ready-fd 9 \
		9>"$tmp/ready" <>"$tmp/in" 1<>"$tmp/out" 2>/dev/null &
	console wirefilter
fi
if [ -x "$BUILD/bin/vde_cryptcab" ]; then
	"$BUILD/bin/vde_cryptcab" -s "$tmp/ctl" -p 0 --key "$tmp/key" \
		--peers "$tmp/peers" -M "$tmp/vde_cryptcab.mgmt" --ready-fd 9 \
		9>"$tmp/ready" 2>/dev/null &
	console vde_cryptcab
fi

# Pages of this tree need not be installed to be referred to.
point "mandoc has nothing to say about the pages" "$(
	mandoc -T lint -W style man/*.[1-9] 2>&1 |
		grep -vE 'referenced manual not found|outdated mandoc.db'
)"
point "every page is named after what it describes" "$(
	for page in man/*.[1-9]; do
		name=${page##*/}
		grep -qx "\.Nm ${name%.*}\( ,\)\?" "$page" ||
			echo "$page does not have .Nm ${name%.*}"
		grep -qix "\.Dt ${name%.*} ${name##*.}" "$page" ||
			echo "$page does not have .Dt ${name%.*} ${name##*.}"
	done
)"
echo "1..$n"
exit $bad
