// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The subcommands invite and join: what is in invite.h and join.h, with the
 * options and files of this user.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "common/cli.h"
#include "common/log.h"
#include "cryptcab/join.h"
#include "cryptcab/keyfile.h"
#include "cryptcab/noise.h"
#include "cryptcab/peersdisk.h"

#define WHY_SIZE (2 * PATH_MAX + 400)
#define VALID_MAX_S (366 * 86400)

struct files {
	const char *key, *peers;
	char key_mem[PATH_MAX], peers_mem[PATH_MAX];
};

static int default_files(struct files *f, struct strbuf *why)
{
	int rc = 0;

	if (!f->key) {
		rc = privfile_default(f->key_mem, PATH_MAX, "cryptcab.key",
				      why);
		f->key = f->key_mem;
	}
	if (!rc && !f->peers) {
		rc = privfile_default(f->peers_mem, PATH_MAX, "cryptcab.peers",
				      why);
		f->peers = f->peers_mem;
	}
	return rc;
}

/* The public key of the one in the file, which is made if there is none. */
static int own_key(uint8_t pub[static KEY64_BYTES], const char *path,
		   struct strbuf *why)
{
	uint8_t key[KEY64_BYTES];
	int rc = keyfile_read_or_make(key, path, why);

	if (rc == 1)
		log_notice("made a key: %s", path);
	if (rc >= 0) {
		rc = noise_public(pub, key) ? 0 : -EINVAL;
		if (rc)
			strbuf_fmt(why, "unable to use %s: no public key",
				   path);
	}
	sodium_memzero(key, sizeof(key));
	return rc;
}

static uint64_t wall_s(void)
{
	return (uint64_t)time(NULL);
}

/* ---- invite ---- */

struct invite_options {
	struct files files;
	struct cli_list addrs;
	const char *valid, *vlan, *tagged, *macs, *rate;
};

#define OPT(member) offsetof(struct invite_options, member)

static const struct cli_option invite_rows[] = {
	{ 'a', "address", CLI_LIST, "HOST[:PORT]",
	  "where the server is, for the client; all that are given are tried",
	  OPT(addrs), 0, 0, NULL },
	{ 0, "key", CLI_STR, "FILE", "private key of the server",
	  OPT(files.key), 0, 0, NULL },
	{ 0, "peers", CLI_STR, "FILE", "peers file of the server",
	  OPT(files.peers), 0, 0, NULL },
	{ 0, "valid", CLI_STR, "TIME",
	  "how long, as 90s, 30m, 12h or 7d (default 1d)", OPT(valid), 0, 0,
	  NULL },
	{ 0, "vlan", CLI_STR, "N", "where its untagged frames belong",
	  OPT(vlan), 0, 0, NULL },
	{ 0, "tagged", CLI_STR, "N,N-N,...", "VLANs that it may use with tags",
	  OPT(tagged), 0, 0, NULL },
	{ 0, "macs", CLI_STR, "M,M,...", "source addresses that it may use",
	  OPT(macs), 0, 0, NULL },
	{ 0, "rate", CLI_STR, "BYTES", "a second, each way", OPT(rate), 0, 0,
	  NULL },
};

#undef OPT

static const struct cli invite_cli = {
	.synopsis = "invite --address HOST[:PORT] [OPTION]... NAME",
	.about = "Print an invitation: one use, for one new peer.",
	.options = invite_rows,
	.n_options = ARRAY_SIZE(invite_rows),
};

static uint64_t parse_valid(const char *s)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, 60, 3600, 86400 };
	size_t len = strlen(s);
	const char *unit = len ? strchr(units, s[len - 1]) : NULL;
	char digits[16];
	int64_t n;

	if (!unit || len > sizeof(digits) || strspn(s, "0123456789") != len - 1)
		cli_usage("option '--valid': '%s' is no time as 90s or 7d", s);
	memcpy(digits, s, len - 1);
	digits[len - 1] = '\0';
	if (!parse_num(digits, 1, VALID_MAX_S / seconds[unit - units], &n))
		cli_usage("option '--valid': '%s' is more than a year, or 0",
			  s);
	return (uint64_t)(n * seconds[unit - units]);
}

static void add_setting(struct strbuf *b, const char *name, const char *value)
{
	if (!value)
		return;
	if (strpbrk(value, " \t\n#"))
		cli_usage("option '--%s': '%s' is more than one value", name,
			  value);
	strbuf_fmt(b, "%s %s\n", name, value);
}

/* Name and rules are what a peers file would say: one parser for both. */
static struct peersfile *parse_rules(const struct invite_options *o,
				     const char *name)
{
	char text[PEERSFILE_BLOCK_SIZE];
	uint8_t any[KEY64_BYTES] = { 9 };
	char key[KEY64_SIZE], reason[300], *what;
	struct peersfile *f;
	struct strbuf b, why;

	if (!peersfile_name_ok(name))
		cli_usage("'%s' is no name of a peer", name);
	strbuf_init(&why, reason, sizeof(reason));
	strbuf_init(&b, text, sizeof(text));
	strbuf_fmt(&b, "peer %s\nkey %s\n", name, key64_write(key, any));
	add_setting(&b, "vlan", o->vlan);
	add_setting(&b, "tagged", o->tagged);
	add_setting(&b, "macs", o->macs);
	add_setting(&b, "rate", o->rate);
	if (b.cut)
		cli_usage("the options are too long");
	if (!peersfile_parse(&f, text, b.len, &why))
		return f;
	what = strstr(reason, ": ");
	cli_usage("%s", what ? what + 2 : reason);
}

static void take_addrs(struct invite *in, const struct cli_list *l)
{
	char reason[100];
	struct strbuf why;

	if (!l->n)
		cli_usage("--address is missing: where is the server?");
	if (l->n > INVITE_ADDRS_MAX)
		cli_usage("more than %d addresses", INVITE_ADDRS_MAX);
	for (size_t i = 0; i < l->n; i++) {
		const char *text = l->given[i].arg;

		strbuf_init(&why, reason, sizeof(reason));
		if (!address_parse(&in->addrs[i], text, ADDRESS_PORT, &why))
			cli_usage("option '--address': '%s': %s", text, reason);
		if (strchr(in->addrs[i].host, '%'))
			cli_usage("option '--address': '%s': a zone is known "
				  "on one machine only",
				  text);
	}
	in->n_addrs = (uint8_t)l->n;
}

static int make_invitation(struct invite *in, struct invite_options *o,
			   const struct peersfile_peer *p, struct strbuf *why)
{
	char text[INVITE_SIZE];
	int rc = default_files(&o->files, why);

	if (!rc)
		rc = own_key(in->key, o->files.key, why);
	if (!rc)
		rc = invite_open(in, p, o->files.peers, wall_s(), why);
	if (rc < 0)
		return rc;
	rc = invite_write(text, in);
	if (!rc && (puts(text) < 0 || fflush(stdout)))
		rc = -errno;
	if (rc)
		strbuf_fmt(why, "unable to write the invitation: %s",
			   strerror(-rc));
	sodium_memzero(text, sizeof(text));
	return rc;
}

int invite_cmd(int argc, char **argv)
{
	static struct invite_options o = { .valid = "1d" }; /* it has a list */
	struct invite in = { 0 };
	char reason[WHY_SIZE];
	struct peersfile *f;
	struct strbuf why;
	int i = cli_parse(&invite_cli, argc, argv, &o), rc;

	if (argc - i != 1)
		cli_usage("invite needs the NAME of the new peer");
	if (sodium_init() < 0)
		return 1;
	strbuf_init(&why, reason, sizeof(reason));
	take_addrs(&in, &o.addrs);
	in.expires = wall_s() + parse_valid(o.valid);
	f = parse_rules(&o, argv[i]);
	rc = make_invitation(&in, &o, &f->peers[0], &why);
	if (rc < 0)
		log_err("%s", reason);
	peersfile_free(f);
	sodium_memzero(&in, sizeof(in));
	return rc < 0;
}

/* ---- join ---- */

struct join_options {
	struct files files;
	const char *name;
	int64_t wait_s;
};

#define OPT(member) offsetof(struct join_options, member)

static const struct cli_option join_rows[] = {
	{ 0, "key", CLI_STR, "FILE", "private key, made if there is none",
	  OPT(files.key), 0, 0, NULL },
	{ 0, "peers", CLI_STR, "FILE", "peers file that gets the server",
	  OPT(files.peers), 0, 0, NULL },
	{ 0, "name", CLI_STR, "NAME", "of the server, in the peers file",
	  OPT(name), 0, 0, NULL },
	{ 0, "wait", CLI_NUM, "S", "seconds for an answer (default 20)",
	  OPT(wait_s), 1, 3600, NULL },
};

#undef OPT

static const struct cli join_cli = {
	.synopsis = "join [OPTION]... [INVITATION]",
	.about = "Become a peer of who gave the invitation, which is read "
		 "from standard input if it is not on the line.",
	.options = join_rows,
	.n_options = ARRAY_SIZE(join_rows),
};

static bool read_line(char *s, size_t size)
{
	return fgets(s, (int)size, stdin) != NULL;
}

/* What the client writes down of the server. */
static int keep_server(const struct invite *in, const struct join_options *o,
		       const char *name, struct strbuf *why)
{
	uint8_t priv[KEY64_BYTES], psk[KEY64_BYTES];
	struct address addrs[INVITE_ADDRS_MAX];
	struct peersfile_peer p = { .psk = psk,
				    .addrs = addrs,
				    .n_addrs = in->n_addrs,
				    .rules = { .untagged = VLAN_NONE } };
	int rc;

	memcpy(addrs, in->addrs, sizeof(addrs));
	memcpy(p.key, in->key, KEY64_BYTES);
	peersfile_make_name(p.name, o->name ? o->name : addrs[0].host);
	invite_derive(in->secret, priv, psk);
	rc = peersdisk_renew(o->files.peers, &p, why);
	sodium_memzero(priv, sizeof(priv));
	sodium_memzero(psk, sizeof(psk));
	if (!rc)
		log_notice("server %s knows this machine as %s: see %s", p.name,
			   name, o->files.peers);
	return rc;
}

static int join(struct invite *in, struct join_options *o, const char *text,
		struct strbuf *why)
{
	struct join_message m = { .name = "client" };
	char reason[200], host[256];
	struct strbuf b;
	int rc;

	strbuf_init(&b, reason, sizeof(reason));
	rc = invite_parse(in, text, &b);
	if (!rc && in->expires <= wall_s()) {
		rc = -EACCES;
		strbuf_add(&b, join_status_text(JOIN_EXPIRED));
	}
	if (rc) {
		strbuf_fmt(why, "unable to use the invitation: %s", reason);
		return rc;
	}
	if (!gethostname(host, sizeof(host) - 1)) {
		host[sizeof(host) - 1] = '\0';
		peersfile_make_name(m.name, host);
	}
	rc = default_files(&o->files, why);
	if (!rc)
		rc = own_key(m.key, o->files.key, why);
	if (!rc)
		rc = join_ask(in, &m, (unsigned int)o->wait_s * 1000, why);
	return rc ? rc : keep_server(in, o, m.name, why);
}

int join_cmd(int argc, char **argv)
{
	struct join_options o = { .wait_s = 20 };
	char text[INVITE_SIZE + 1], reason[WHY_SIZE];
	struct invite in;
	struct strbuf why;
	int i = cli_parse(&join_cli, argc, argv, &o), rc;

	if (argc - i > 1)
		cli_usage("join: more than one invitation");
	if (o.name && !peersfile_name_ok(o.name))
		cli_usage("'%s' is no name of a peer", o.name);
	if (sodium_init() < 0)
		return 1;
	if (i == argc || !strcmp(argv[i], "-")) {
		if (!read_line(text, sizeof(text)))
			text[0] = '\0';
	} else if (str_copy(text, sizeof(text), argv[i]) < 0) {
		text[0] = '\0';
	}
	strbuf_init(&why, reason, sizeof(reason));
	rc = join(&in, &o, text, &why);
	if (rc < 0)
		log_err("%s", reason);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(&in, sizeof(in));
	return rc < 0;
}
