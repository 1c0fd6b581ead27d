// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about peers. Settings on a command line are those of the peers
 * file, with a semicolon where that has a new line: "vlan 5; tagged 7,9".
 */
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "cryptcab/cmd.h"
#include "cryptcab/invite.h"
#include "cryptcab/peersdisk.h"
#include "cryptcab/trust.h"
#include "cryptcab/utcdate.h"

#define REASON 512
#define INVITE_HOURS 24

/* ---- peer/list ---- */

static void show_vlans(struct writer *w, const struct admit_rules *r)
{
	if (r->untagged == VLAN_NONE && !r->n_tagged) {
		writer_str(w, NULL, " VLANs: ", "any", 0);
		return;
	}
	writer_text(w, " VLANs:");
	if (r->untagged != VLAN_NONE)
		writer_num(w, "untagged", " untagged ", r->untagged, 0);
	writer_list(w, "tagged");
	for (uint32_t i = 0; i < r->n_tagged; i++)
		writer_num(w, NULL, i ? "," : " tagged ", r->tagged[i], 0);
	writer_close(w);
}

static void show_macs(struct writer *w, const struct admit_rules *r)
{
	char text[ETHER_STRLEN];

	writer_list(w, "macs");
	for (uint32_t i = 0; i < r->n_macs; i++)
		writer_str(w, NULL, i ? "," : " macs ",
			   ether_str(text, r->macs[i]), 0);
	writer_close(w);
}

static void show_rules(struct writer *w, const struct admit_rules *r)
{
	char date[UTCDATE_SIZE];

	show_vlans(w, r);
	show_macs(w, r);
	if (r->rate)
		writer_num(w, "rate", " rate ", (int64_t)r->rate, 0);
	if (r->expires && r->expires <= UTCDATE_MAX)
		writer_str(w, "expires", " expires ",
			   utcdate_write(date, r->expires), 0);
	writer_line(w);
}

static const char *state_of(const struct cab_peer *p,
			    const struct tunnel_info *in)
{
	if (p->up_since)
		return "up";
	return in->calling ? "calling" : "down";
}

static void show_session(struct writer *w, const struct cab_peer *p,
			 const struct tunnel_info *in)
{
	uint64_t now = cab_now();

	writer_num(w, "ups", NULL, (int64_t)p->ups, 0);
	if (p->up_since) {
		writer_str(w, "cipher", " cipher ", aead_name(in->cipher), 0);
		cmd_seconds(w, "session_age", " session ", now - p->up_since);
		cmd_seconds(w, "handshake_age", " handshake ", in->session_age);
		cmd_seconds(w, "heard_ago", " heard ", in->heard_ago);
		if (in->rtt)
			cmd_seconds(w, "round_trip", " round trip ", in->rtt);
		writer_num(w, "datagram", " datagram ", in->datagram, 0);
	} else if (in->heard_ago) {
		cmd_seconds(w, "heard_ago", " heard ", in->heard_ago);
	} else {
		writer_text(w, " never heard");
	}
	writer_line(w);
}

static void show_way(struct writer *w, const char *key, const char *piece,
		     uint64_t frames, uint64_t bytes)
{
	writer_open(w, key);
	writer_num(w, "frames", piece, (int64_t)frames, -10);
	writer_num(w, "bytes", " bytes ", (int64_t)bytes, -15);
	writer_close(w);
	writer_line(w);
}

/* What is 0 is in JSON only. */
static void show_count(struct writer *w, const char *name, uint64_t n)
{
	writer_num(w, name, NULL, (int64_t)n, 0);
	if (w->json || !n)
		return;
	writer_str(w, NULL, " ", name, 0);
	writer_num(w, NULL, " ", (int64_t)n, 0);
}

static bool any(const uint64_t *n, int from, int to)
{
	for (int i = from; i < to; i++)
		if (n[i])
			return true;
	return false;
}

/* By direction and reason. */
static void show_denied(struct writer *w, const struct cab_peer *p)
{
	static const char *const keys[] = { "denied_from", "denied_to" };
	static const char *const pieces[] = { " denied from it:",
					      " denied to it:" };

	for (int d = 0; p->admit && d < ADMIT_N_DIRS; d++) {
		const struct admit_count *c = admit_counts(p->admit, d);
		uint64_t sum = 0;

		for (int v = ADMIT_PASS + 1; v < ADMIT_N_VERDICTS; v++)
			sum += c[v].frames;
		writer_open(w, keys[d]);
		if (sum)
			writer_text(w, pieces[d]);
		for (int v = ADMIT_PASS + 1; v < ADMIT_N_VERDICTS; v++)
			show_count(w, admit_verdict_name(v), c[v].frames);
		if (sum)
			writer_line(w);
		writer_close(w);
	}
}

static void show_counts(struct writer *w, const struct cab_peer *p,
			const struct tunnel_info *in)
{
	const uint64_t *c = in->counts;
	bool some;

	show_way(w, "in", " IN:  frames ", c[TUNNEL_RX_FRAMES],
		 c[TUNNEL_RX_BYTES]);
	show_way(w, "out", " OUT: frames ", c[TUNNEL_TX_FRAMES],
		 c[TUNNEL_TX_BYTES]);
	some = any(c, TUNNEL_BAD_LENGTH, TUNNEL_N_COUNTS);
	writer_open(w, "rejected");
	if (some)
		writer_text(w, " rejected:");
	for (int i = TUNNEL_BAD_LENGTH; i < TUNNEL_N_COUNTS; i++)
		show_count(w, tunnel_count_name(i), c[i]);
	if (some)
		writer_line(w);
	writer_close(w);
	some = any(p->drops, 0, CAB_N_DROPS);
	writer_open(w, "dropped");
	if (some)
		writer_text(w, " dropped:");
	for (int i = 0; i < CAB_N_DROPS; i++)
		show_count(w, cab_drop_name(i), p->drops[i]);
	if (some)
		writer_line(w);
	writer_close(w);
	show_denied(w, p);
}

static const char *const kinds[] = {
	[CAB_PEER] = "peer",
	[CAB_INVITED] = "invited",
	[CAB_GUEST] = "guest",
};

static void show_peer(struct writer *w, const struct cab_peer *p)
{
	const struct peersfile_peer *pp = trust_entry(p->cab->trust, p->key);
	char addr[CAB_ADDR_TEXT], key[KEY64_SIZE];
	struct tunnel_info in;

	tunnel_peer_info(p->tp, cab_now(), &in);
	writer_open(w, NULL);
	writer_str(w, "name", "Peer ", p->name, 0);
	writer_str(w, "kind", p->kind ? " " : NULL, kinds[p->kind], 0);
	writer_str(w, "state", " ", state_of(p, &in), 0);
	writer_str(w, "address", " at ",
		   cab_addr_text(addr, tunnel_addr(p->tp)), 0);
	writer_line(w);
	writer_str(w, "key", " key ", key64_write(key, p->key), 0);
	writer_line(w);
	show_session(w, p, &in);
	if (pp)
		show_rules(w, &pp->rules);
	show_counts(w, p, &in);
	writer_close(w);
}

static int no_peer(struct mgmt_req *rq, const char *name)
{
	char why[MGMT_WHY];

	str_fmt(why, sizeof(why), "there is no peer %s", name);
	return mgmt_refuse(rq, -ENOENT, why);
}

static int cmd_list(struct mgmt_req *rq, void *ctx)
{
	struct cryptcab *cab = ctx;
	const char *name = rq->argc ? rq->arg[0].str : NULL;
	uint64_t i = 0;

	if (!rq->again)
		writer_list(rq->w, "peers");
	list_for_each(pos, &cab->peers) {
		struct cab_peer *p = list_entry(pos, struct cab_peer, node);

		if (i++ < rq->more[0] || (name && strcmp(p->name, name)))
			continue;
		if (mgmt_pause(rq)) {
			rq->more[0] = i - 1;
			return MGMT_MORE;
		}
		show_peer(rq->w, p);
		rq->more[1]++;
	}
	writer_close(rq->w);
	return name && !rq->more[1] ? no_peer(rq, name) : 0;
}

/* ---- changes ---- */

/* A block of the peers file from words of a command; sodium_free() it. */
static char *block(const char *name, const char *key, const char *settings)
{
	char *text = sodium_malloc(PEERSFILE_BLOCK_SIZE);
	struct strbuf b;

	if (!text)
		return NULL;
	strbuf_init(&b, text, PEERSFILE_BLOCK_SIZE);
	strbuf_fmt(&b, "peer %s\nkey %s\n", name, key);
	for (; *settings; settings++)
		strbuf_addn(&b, *settings == ';' ? "\n" : settings, 1);
	strbuf_add(&b, "\n");
	return text;
}

/* The one peer that words of a command say. */
static int parse(struct peersfile **f, struct mgmt_req *rq, const char *name,
		 const char *key, const char *settings)
{
	char text[REASON], *block_text, *what;
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	if (!peersfile_name_ok(name))
		return mgmt_refuse(rq, -EINVAL, "that is no name of a peer");
	block_text = block(name, key, settings);
	if (!block_text)
		return -ENOMEM;
	rc = peersfile_parse(f, block_text, strlen(block_text), &why);
	sodium_free(block_text);
	if (rc) {
		what = strstr(text, ": ");
		return mgmt_refuse(rq, rc, what ? what + 2 : text);
	}
	if ((*f)->n == 1 && !(*f)->peers[0].psk_path)
		return 0;
	rc = mgmt_refuse(rq, -EINVAL,
			 (*f)->n == 1 ? "a pskfile is for the peers file only"
				      : "settings of one peer only");
	peersfile_free(*f);
	return rc;
}

static int reload(struct mgmt_req *rq, struct cryptcab *cab)
{
	char text[REASON];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	rc = trust_reload(cab->trust, &why);
	return rc ? mgmt_refuse(rq, rc, text) : 0;
}

/* Ends a change; @rc is what the steps so far returned. Others who change the
 * file are not waited for: whoever asked may ask again. */
static int commit(struct mgmt_req *rq, struct cryptcab *cab,
		  struct peersdisk *d, int rc, struct strbuf *why)
{
	if (!rc)
		rc = peersdisk_commit(d, why);
	else
		peersdisk_abort(d);
	return rc ? mgmt_refuse(rq, rc, why->s) : reload(rq, cab);
}

static int remove_peer(struct mgmt_req *rq, struct cryptcab *cab,
		       const char *name)
{
	const struct peersfile_peer *pp;
	struct peersdisk d;
	char text[REASON];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	rc = peersdisk_begin(&d, trust_path(cab->trust), 0, &why);
	if (rc)
		return mgmt_refuse(rq, rc, text);
	pp = peersfile_find_name(d.f, name);
	if (!pp) {
		peersdisk_abort(&d);
		return no_peer(rq, name);
	}
	return commit(rq, cab, &d, peersdisk_remove(&d, pp, &why), &why);
}

/* The engine takes no key of its own, or one that cannot be. */
static int check_added(struct mgmt_req *rq, struct cryptcab *cab,
		       const struct peersfile_peer *p)
{
	if (tunnel_peer_find(cab->tunnel, p->key) ||
	    (p->rules.expires && p->rules.expires <= (uint64_t)time(NULL)))
		return 0;
	(void)remove_peer(rq, cab, p->name);
	return mgmt_refuse(rq, -EINVAL, "its key is ours, or none");
}

static int cmd_add(struct mgmt_req *rq, void *ctx)
{
	const char *name = rq->arg[0].str;
	struct cryptcab *cab = ctx;
	struct peersfile *f = NULL;
	struct peersdisk d;
	char text[REASON];
	struct strbuf why;
	int rc = parse(&f, rq, name, rq->arg[1].str,
		       rq->argc > 2 ? rq->arg[2].str : "");

	if (rc || !f)
		return rc;
	strbuf_init(&why, text, sizeof(text));
	rc = peersdisk_begin(&d, trust_path(cab->trust), 0, &why);
	if (rc)
		rc = mgmt_refuse(rq, rc, text);
	else
		rc = commit(rq, cab, &d,
			    peersdisk_append(&d, &f->peers[0], &why), &why);
	if (!rc)
		rc = check_added(rq, cab, &f->peers[0]);
	if (!rc)
		log_notice("%s is a peer now, by console command", name);
	peersfile_free(f);
	return rc;
}

static int cmd_del(struct mgmt_req *rq, void *ctx)
{
	return remove_peer(rq, ctx, rq->arg[0].str);
}

static int cmd_kick(struct mgmt_req *rq, void *ctx)
{
	struct cab_peer *p = cab_peer_find(ctx, rq->arg[0].str);

	if (!p)
		return no_peer(rq, rq->arg[0].str);
	if (!p->up_since)
		return mgmt_refuse(rq, -ENOTCONN, "it is not up");
	cab_peer_kick(p);
	return 0;
}

static int cmd_reload(struct mgmt_req *rq, void *ctx)
{
	struct cryptcab *cab = ctx;
	int rc = reload(rq, cab);

	if (rc)
		return rc;
	writer_num(rq->w, "peers", "peers ", cab->n_peers, 0);
	writer_line(rq->w);
	return 0;
}

/* ---- invite ---- */

/* "HOST[:PORT],HOST[:PORT],..." */
static int take_addrs(struct invite *in, struct mgmt_req *rq, const char *list)
{
	char one[ADDRESS_SIZE], text[REASON];
	struct strbuf why;

	for (;;) {
		size_t n = strcspn(list, ",");

		strbuf_init(&why, text, sizeof(text));
		if (in->n_addrs == INVITE_ADDRS_MAX)
			return mgmt_refuse(rq, -EINVAL, "too many addresses");
		if (str_fmt(one, sizeof(one), "%.*s", (int)n, list) < 0)
			return mgmt_refuse(rq, -EINVAL, "too long an address");
		if (!address_parse(&in->addrs[in->n_addrs++], one, ADDRESS_PORT,
				   &why))
			return mgmt_refuse(rq, -EINVAL, text);
		if (!list[n])
			return 0;
		list += n + 1;
	}
}

static int make_invitation(struct mgmt_req *rq, struct cryptcab *cab,
			   const struct peersfile_peer *p, struct invite *in)
{
	char text[REASON], line[INVITE_SIZE], date[UTCDATE_SIZE];
	uint64_t wall = (uint64_t)time(NULL);
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	memcpy(in->key, cab->key, KEY64_BYTES);
	in->expires = wall + INVITE_HOURS * UINT64_C(3600);
	rc = invite_open(in, p, trust_path(cab->trust), wall, &why);
	if (rc < 0)
		return mgmt_refuse(rq, rc, text);
	rc = invite_write(line, in);
	if (rc)
		return mgmt_refuse(rq, rc, "an address with a zone");
	rc = reload(rq, cab);
	if (rc)
		return rc;
	log_notice("invited %s, by console command", p->name);
	writer_str(rq->w, "invitation", "", line, 0);
	writer_line(rq->w);
	writer_str(rq->w, "expires", NULL, utcdate_write(date, in->expires), 0);
	sodium_memzero(line, sizeof(line));
	return 0;
}

static int cmd_invite(struct mgmt_req *rq, void *ctx)
{
	static const uint8_t any_key[KEY64_BYTES] = { 9 };
	struct cryptcab *cab = ctx;
	struct invite in = { 0 };
	char key[KEY64_SIZE];
	struct peersfile *f = NULL;
	int rc;

	if (cab->is_client)
		return mgmt_refuse(rq, -EINVAL, "this is no server");
	rc = take_addrs(&in, rq, rq->arg[0].str);
	if (!rc)
		rc = parse(&f, rq, rq->arg[1].str, key64_write(key, any_key),
			   rq->argc > 2 ? rq->arg[2].str : "");
	if (rc || !f)
		return rc;
	rc = make_invitation(rq, cab, &f->peers[0], &in);
	peersfile_free(f);
	sodium_memzero(&in, sizeof(in));
	return rc;
}

/* clang-format off */
static const struct mgmt_cmd cmds[] = {
	{ "peer", "", "PEER MENU", NULL, false },
	{ "peer/list [<name>]", "[NAME]", "list peers, or one", cmd_list, true },
	{ "peer/add <name> <key> [<settings...>]", "NAME KEY [SET]", "add a peer; settings as vlan 5; tagged 7,9", cmd_add, false },
	{ "peer/del <name>", "NAME", "remove a peer", cmd_del, false },
	{ "peer/kick <name>", "NAME", "end a peer's session; it may come again", cmd_kick, false },
	{ "peer/reload", "", "read the peers file again", cmd_reload, true },
	{ "invite <hosts> <name> [<settings...>]", "HOST,. NAME ..", "make an invitation, for a day", cmd_invite, true },
};
/* clang-format on */
const struct mgmt_table cmd_peer = { cmds, ARRAY_SIZE(cmds) };
