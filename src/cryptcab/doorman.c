// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/doorman.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "cryptcab/join.h"
#include "cryptcab/key64.h"
#include "cryptcab/trust.h"
#include "cryptcab/udp.h"

#define REASON 512
#define SHORT_KEY 8 /* characters of a key in a guest's name */

struct doorman {
	struct cryptcab *cab;
	const char *path;
	const uint8_t *psk;
	struct loop_timer join, guest;
	/* Who waits for the one timer, and for the other. */
	struct cab_peer *who;
	size_t len;
	uint8_t frame[JOIN_FRAME_MAX];
	uint8_t key[TUNNEL_KEY_LEN];
	struct log_limit limit;
};

/* ---- invitations ---- */

static void answer(struct doorman *d, const struct join_message *m)
{
	uint8_t buf[TUNNEL_OVERHEAD + JOIN_FRAME_MAX + TUNNEL_DATAGRAM_BASE];
	struct tunnel_packet pk = { .data = buf + TUNNEL_HEAD,
				    .room = TUNNEL_TAIL +
					    TUNNEL_DATAGRAM_BASE };
	const struct tunnel_addr *to = tunnel_addr(d->who->tp);

	pk.len = (uint32_t)join_write_answer(pk.data, m);
	if (to && tunnel_seal(d->who->tp, &pk, 1, cab_now()) == 1)
		(void)udp_send(d->cab->udp, to, &pk, 1);
	cab_schedule(d->cab);
}

static void serve(struct loop_timer *t)
{
	struct doorman *d = container_of(t, struct doorman, join);
	struct join_message m = { 0 };
	char text[REASON] = "", addr[CAB_ADDR_TEXT];
	struct strbuf why;
	int rc;

	if (!d->who)
		return;
	strbuf_init(&why, text, sizeof(text));
	rc = join_serve(d->path, d->who->key, d->frame, d->len,
			(uint64_t)time(NULL), &m, &why);
	cab_addr_text(addr, tunnel_addr(d->who->tp));
	if (rc == 1)
		log_notice("%s has joined from %s", m.name, addr);
	else if (rc < 0 && rc != -EAGAIN)
		log_warn_rl(&d->limit, loop_now(d->cab->loop),
			    "unable to let %s at %s join: %s", d->who->name,
			    addr, *text ? text : "it does not ask properly");
	if (rc != -EAGAIN && rc != -EBADMSG)
		answer(d, &m);
	d->who = NULL;
	if (rc == 1 && trust_reload(d->cab->trust, &why))
		log_err("%s", text);
}

void doorman_frame(struct doorman *d, struct cab_peer *p, const uint8_t *frame,
		   size_t len)
{
	if (d->who || len > sizeof(d->frame) ||
	    loop_timer_set(d->cab->loop, &d->join, 0, serve))
		return;
	d->who = p;
	d->len = len;
	memcpy(d->frame, frame, len);
}

/* ---- guests ---- */

static void let_in(struct loop_timer *t)
{
	struct doorman *d = container_of(t, struct doorman, guest);
	char name[CAB_NAME_SIZE], b64[KEY64_SIZE];
	struct cab_peer *p;
	int rc;

	(void)str_fmt(name, sizeof(name), "guest-%.*s", SHORT_KEY,
		      key64_write(b64, d->key));
	rc = cab_peer_add(d->cab, name, d->key, d->psk, &p);
	if (!rc)
		p->kind = CAB_GUEST;
	else if (rc != -EEXIST)
		log_warn_rl(&d->limit, loop_now(d->cab->loop),
			    "unable to let %s in: %s", name, strerror(-rc));
}

bool doorman_stranger(struct doorman *d,
		      const uint8_t key[static TUNNEL_KEY_LEN])
{
	if (!d->psk)
		return false;
	if (loop_timer_armed(&d->guest))
		return true;
	memcpy(d->key, key, TUNNEL_KEY_LEN);
	return !loop_timer_set(d->cab->loop, &d->guest, 0, let_in);
}

/* ---- begin and end ---- */

void doorman_forget(struct doorman *d, const struct cab_peer *p)
{
	if (d->who == p)
		d->who = NULL;
}

int doorman_new(struct doorman **out, struct cryptcab *cab,
		const char *peers_path, const uint8_t *guest_psk)
{
	struct doorman *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->cab = cab;
	d->path = peers_path;
	d->psk = guest_psk;
	*out = d;
	return 0;
}

void doorman_free(struct doorman *d)
{
	if (!d)
		return;
	loop_timer_del(d->cab->loop, &d->join);
	loop_timer_del(d->cab->loop, &d->guest);
	free(d);
}
