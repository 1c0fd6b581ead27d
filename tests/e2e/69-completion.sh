#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 69-completion.sh - what Tab offers on command lines of our programs: options
# of --help, values by their kind, locators, sockets, commands of a console,
# and what stands behind a separator; as readline calls for it, and once in a
# real interactive bash
. "${0%/*}/lib.sh"
need python3
# shellcheck source=tools/completion.bash
. "$ROOT/tools/completion.bash"
complete -p vde_switch vdeterm dpipe >/dev/null || exit 1

# offers LINE: what is offered at its end, sorted. COMP_WORDS are made as
# readline makes them, which takes words apart at ":" and "=".
offers()
{
	COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=() COMPREPLY=()
	mapfile -t COMP_WORDS < <(printf '%s' "$1" |
		grep -oE '[:=]+|[^:=[:blank:]]+')
	[[ $1 != *[[:blank:]] ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_vde 2>/dev/null
	printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

mkdir "$TMP/f" "$TMP/f/net.ctl" "$TMP/f/lan dir"
touch "$TMP/f/net.rc" "$TMP/f/other"
python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$TMP/f/net.mgmt"

# --- options and their values -----------------------------------------------

is "long options are completed" "$(offers 'vde_switch --mgm')" \
	"$(printf '%s\n' --mgmt --mgmtgroup --mgmtmode)"
like "short ones are offered" "$(offers 'vde_switch -')" '^-s$'
is "so are --help and --version" "$(offers 'vdeterm --')" \
	"$(printf '%s\n' --help --history --version)"
is "a FILE is any file" "$(offers "vde_switch -f $TMP/f/n")" \
	"$(printf '%s\n' "$TMP/f/net.ctl" "$TMP/f/net.mgmt" "$TMP/f/net.rc")"
is "a DIR is a directory" "$(offers "vde_switch --sock $TMP/f/n")" \
	"$TMP/f/net.ctl"
is "behind = too" "$(offers "vde_switch --sock=$TMP/f/n")" "$TMP/f/net.ctl"
like "a GROUP is a group" "$(offers 'vde_switch -g roo')" '^root$'
like "an IF is an interface" "$(offers 'vde_switch -t l')" '^lo$'
is "--interface is offered" "$(offers 'vde_switch --int')" --interface
like "and takes one" "$(offers 'vde_switch --interface l')" '^lo$'
is "a number is not completed" "$(offers 'vde_switch -n ')" ""
is "an option behind the value of another one is" \
	"$(offers 'vde_switch -n 4 --hu')" --hub
is "an unknown name offers files" "$(offers "surelynone $TMP/f/o")" \
	"$TMP/f/other"

# --- operands ---------------------------------------------------------------

for p in vdeterm unixterm 'unixcmd -s'; do
	is "$p wants a socket" "$(offers "$p $TMP/f/n")" \
		"$(printf '%s\n' "$TMP/f/net.ctl" "$TMP/f/net.mgmt")"
done
is "vdeterm wants one only" "$(offers "vdeterm a $TMP/f/n")" ""
is "vde_plug wants the directory of a switch" \
	"$(offers "vde_plug $TMP/f/n")" "$TMP/f/net.ctl"
is "or a locator" "$(offers 'vde_plug v')" vde://
is "of a module there is" "$(offers 'vde_plug zz')" ""
is "with a directory in it" "$(offers "vde_plug vde://$TMP/f/n")" \
	"//$TMP/f/net.ctl"
is "or an interface" "$(offers 'vde_plug a tap://l' | grep -x //lo)" //lo
is "or a command" \
	"$(offers 'vde_plug cmd://basenam' | grep -x //basename)" //basename
is "a wire's networks are directories" "$(offers "wirefilter -v $TMP/f/n")" \
	"$TMP/f/net.ctl"
is "so is the second one" "$(offers "wirefilter -v a:$TMP/f/n")" "$TMP/f/net.ctl"
is "or they are operands" "$(offers "wirefilter -d 5 a $TMP/f/n")" "$TMP/f/net.ctl"
is "a value that may be left out is not offered" \
	"$(offers "wirefilter --repo")" --report
is "but behind = it is" "$(offers "wirefilter --report=$TMP/f/net.r")" \
	"$TMP/f/net.rc"
is "and only there" "$(offers "wirefilter --report $TMP/f/n")" "$TMP/f/net.ctl"
is "a third network is not wanted" "$(offers "vde_plug a b $TMP/f/n")" ""
is "a name with a blank is one word" "$(offers "vde_plug $TMP/f/lan\\ d")" \
	"$TMP/f/lan dir"

# --- behind separators ------------------------------------------------------

for line in 'dpipe base' 'dpipe -d base' 'dpipe vde_plug a = base' \
	'dpipe a =} base' 'dpipe a =} b }= base' 'vde_plug a = base'; do
	like "a command comes after: ${line% *}" "$(offers "$line")" \
		'^basename$'
done
is "a command of ours is completed by its own rules" \
	"$(offers "dpipe vde_plug $TMP/f/n")" "$TMP/f/net.ctl"
is "behind a separator too" \
	"$(offers "dpipe vde_plug a = vde_plug $TMP/f/n")" "$TMP/f/net.ctl"
is "with its options" "$(offers 'dpipe -d vde_plug --ipl')" --iplog
is "also inside vde_plug" "$(offers "vde_plug a = dpipe vde_plug $TMP/f/n")" \
	"$TMP/f/net.ctl"
is "another command gets files" "$(offers "dpipe vde_plug a = nc $TMP/f/o")" \
	"$TMP/f/other"

# shellcheck disable=SC2317,SC2329
_command_offset()
{
	COMPREPLY=("offset $1: ${COMP_WORDS[$1]}")
}
is "or what bash-completion knows about it" \
	"$(offers 'dpipe vde_plug vde:///a = ssh ho')" "offset 6: ssh"
unset -f _command_offset

# --- the commands of a console ----------------------------------------------

start_switch a
is "unixcmd asks the console behind -s" \
	"$(offers "unixcmd -s $TMP/a.mgmt vlan/cr")" vlan/create
is "or --sock=" "$(offers "unixcmd --sock=$TMP/a.mgmt -j vlan/cr")" vlan/create
is "commands about interfaces, too" \
	"$(offers "unixcmd -s $TMP/a.mgmt if/")" "$(printf '%s\n' if/add if/del)"
is "headings are no commands" \
	"$(offers "unixcmd -s $TMP/a.mgmt vla" | head -n 1)" vlan/addport
is "help takes a command" "$(offers "unixcmd -s $TMP/a.mgmt help vlan/cr")" \
	vlan/create
is "load takes a file" "$(offers "unixcmd -s $TMP/a.mgmt load $TMP/f/o")" \
	"$TMP/f/other"
is "other arguments are not completed" \
	"$(offers "unixcmd -s $TMP/a.mgmt port/create $TMP/f/o")" ""
is "options end where the command begins" \
	"$(offers "unixcmd -s $TMP/a.mgmt help --")" ""

# --- in a real shell --------------------------------------------------------

cat >"$TMP/shell.py" <<'EOF'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/e2e")
from termlib import *
t = Terminal("bash", "--norc", "--noprofile", "-i")
t.type("PS1='% '; set +o history; . " + sys.argv[1] +
       "/tools/completion.bash\r")
t.until(lambda: t.screen.line() == "% ")
def tab(what, line, want):
    t.type(line + "\t")
    ok(what, t.shows("% " + want), t.text())
    t.type("\x15")
    t.shows("% ")
f = sys.argv[2]
tab("bash completes an option", "vde_switch --mgmtm", "vde_switch --mgmtmode ")
tab("a directory gets a slash", "vde_switch -s " + f + "/ne",
    "vde_switch -s " + f + "/net.ctl/")
tab("a module no blank", "vde_plug vd", "vde_plug vde://")
tab("what readline takes for several words is completed in place",
    "vde_plug vde://" + f + "/ne", "vde_plug vde://" + f + "/net.ctl/")
tab("blanks are quoted", "vde_plug " + f + "/la",
    "vde_plug " + f + "/lan\\ dir/")
t.type("exit\r")
done()
EOF
shell=$(python3 "$TMP/shell.py" "$ROOT" "$TMP/f")
while IFS= read -r line; do
	case $line in
	'ok '*) ok "${line#* - }" ;;
	'not ok '*) not_ok "${line#* - }" ;;
	'#'*) echo "$line" ;;
	esac
done <<<"$shell"
like "the shell was asked" "$shell" '^1\.\.5$'
done_testing
