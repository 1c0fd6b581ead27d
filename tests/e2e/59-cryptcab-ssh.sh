#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 59-cryptcab-ssh.sh - the first contact of a client and a server: public keys
# are exchanged by ssh, nothing secret travels and nothing is left behind. The
# account is for nothing but that: a forced command.
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/sshd.sh
. "$ROOT/tests/e2e/sshd.sh"
need vde_switch vde_cryptcab
in_ssh_lab "$@"
start_sshd
start_switch near
start_switch far

cat >"$TMP/gate" <<GATE
#!/bin/sh
echo "\$SSH_ORIGINAL_COMMAND" >>$TMP/asked
[ "\$SSH_ORIGINAL_COMMAND" = "vde_cryptcab enrol" ] || exit 1
echo "welcome to this machine"
tee -a $TMP/said | vde_cryptcab enrol --key $TMP/s.key --peers $TMP/s.peers
GATE
chmod 755 "$TMP/gate"
echo "command=\"$TMP/gate\" $(cat "$TMP/key.pub")" >"$TMP/authorized_keys"
export VDE_SSH="${ssh[*]}"

server()
{
	start vde_cryptcab -v -s "$TMP/far.ctl" -p 7999 --key "$TMP/s.key" \
		--peers "$TMP/s.peers"
	server=$started
}

client()
{
	start vde_cryptcab -v -s "$TMP/near.ctl" -c \
		"$ssh_user@127.0.0.1:7999" --key "$TMP/c.key" \
		--peers "$TMP/c.peers"
	client=$started
}

says()
{
	log_of "$1" | grep -q "$2"
}

server
check "the server is there" wait_for says "$server" "made a private key"
client
check "a client that nobody knew is up" wait_for says "$client" "is up at"
check "the server has his name" wait_for says "$server" " is up at 127"
is "ssh was asked once" "$(wc -l <"$TMP/asked")" 1
is "for a key, with the client's public one" \
	"$(cut -d ' ' -f 1-3 "$TMP/said")" \
	"vde-enrol 1 $(vde_cryptcab pubkey "$TMP/c.key")"
like "and his name" "$(cut -d ' ' -f 4- "$TMP/said")" '^[-._@a-zA-Z0-9]+$'
check_fails "no secret was said" 1 grep -q "$(cat "$TMP/c.key")" "$TMP/said"
is "all files are for their owners only" \
	"$(stat -c %a "$TMP"/[cs].key "$TMP"/[cs].peers | sort -u)" 600
stop "$client"
client
check "the second time he is up, too" wait_for says "$client" "is up at"
is "and ssh was not asked" "$(wc -l <"$TMP/asked")" 1
stop "$client"

# --- what cannot be ----------------------------------------------------------

refused()
{
	vde_cryptcab -s "$TMP/near.ctl" -c "$1" --key "$TMP/c.key" \
		--peers "$TMP/other.peers" 2>&1
}
like "a command that fails is told" \
	"$(VDE_SSH=false refused "$ssh_user@127.0.0.1")" \
	"unable to call $ssh_user@127.0.0.1: .*status 1"
like "and one that says something else" \
	"$(VDE_SSH="echo" refused "$ssh_user@127.0.0.1")" \
	"unable to call .*: .*no answer"
like "a host is no option" "$(refused -oProxyCommand=id)" \
	"unable to call -oProxyCommand=id: "
check_fails "nothing was written down" 1 test -e "$TMP/other.peers"
stop "$server"
done_testing
