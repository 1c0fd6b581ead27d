#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tools/deps, with a PATH in which apt-get, sudo and id are the test's own:
# what it asks for, what it says, and when it lets the caller go on.
. "${0%/*}/lib.sh"

tools=$TMP/bin
mkdir "$tools" "$TMP/build"
for p in bash cat chmod env find grep mkdir mktemp rm sed tail unshare; do
	ln -s "$(type -P $p)" "$tools/$p"
done
# stub NAME TEXT: a program in that PATH.
stub()
{
	printf '#!%s\n%s\n' "$(type -P bash)" "$2" >"$tools/$1"
	chmod +x "$tools/$1"
}
stub cc 'exit 0' # every header is there
stub ip 'exit 0'
stub id 'echo 0'
# shellcheck disable=SC2016
stub apt-get 'echo "$DEBIAN_FRONTEND $*" >>'"$TMP/asked
cat $TMP/brings 2>/dev/null | while read -r p; do
	printf '#!/bin/sh\n' >$tools/\$p; chmod +x $tools/\$p
done
[ -e $TMP/brings ]"

deps()
{
	env -i PATH="$tools" BUILD="$TMP/build" "$tools/bash" \
		"$ROOT/tools/deps" "$@" 2>&1
}
asked()
{
	cat "$TMP/asked" 2>/dev/null
}

out=$(deps --for demo) # ping must be there, python3 should
rc=$?
is "what is needed and cannot be had ends it with status 1" "$rc" 1
like "it says what is missing" "$out" \
	'unable to go on without: iputils-ping'
like "apt-get is asked, without questions" "$(asked)" \
	'^noninteractive .*install -y .*iputils-ping python3'
like "package lists are refreshed in between" "$(asked)" 'update$'

echo ping >"$TMP/brings"
rm "$TMP/asked"
out=$(deps --for demo)
is "what is only wanted and cannot be had does not" "$?" 0
like "it is named" "$out" 'still missing: .*python3'

rm -f "$TMP/asked" "$TMP/brings"
out=$(deps --for demo)
is "nothing is asked for twice within an hour" "$(asked)" ''
like "which is said" "$out" 'less than an hour ago'

echo python3 >"$TMP/brings"
rm -f "$TMP/build/deps.tried"
like "what could be had is named" "$(deps --for demo)" 'installed: .*python3'
rm -f "$TMP/asked"
is "with everything there it is silent" "$(deps --for demo)" ''
is "and asks for nothing" "$(asked)" ''

rm "$tools/python3"
stub id 'echo 1000'
like "without root and sudo it tells what to run" "$(deps --for demo)" \
	'as root: apt-get install.* python3'
stub sudo 'exit 1'
like "sudo is not waited for" "$(deps --for demo)" \
	'sudo wants a password; run: sudo apt-get install.* python3'
# shellcheck disable=SC2016
stub sudo 'echo "sudo $*" >>'"$TMP"'/asked; [ "$1" = -n ] || exec "$@"'
echo python3 >"$TMP/brings"
like "where sudo works it is used" "$(deps --for demo; asked)" \
	'^sudo env .*apt-get .*install -y .*python3'
rm "$tools/python3" "$tools/apt-get"
like "without apt-get it tells what to install" "$(deps --for demo)" \
	'no apt-get here; .* python3'
check_fails "a purpose that is none is a usage error" 2 deps --for fun
done_testing
