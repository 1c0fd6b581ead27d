// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What goes and what stays: entries are forgotten because they are old, because
 * a port or VLAN has changed, or because there are too many of a port; sticky
 * ones are not. Nothing here runs for each frame, but for mactab_is_on() and
 * mactab_has_room() of ports whose addresses are limited.
 */
#include <errno.h>

#include "base/util.h"
#include "switch/mactab_impl.h"

/* A walk through lists; what it has returned may be forgotten. */
struct walk {
	size_t list, step, end;
	uint32_t next;
};

/* Over all that may be on @port in @vlan; either may be -1 for all. Other VLANs
 * come by, too. */
static struct walk walk(const struct mactab *t, int port, int vlan)
{
	struct walk w = { .step = 1, .end = t->n_ports * LISTS };

	if (port >= 0) {
		w.list = (size_t)port * LISTS;
		w.end = w.list + LISTS;
	}
	if (vlan >= 0) {
		w.list += (size_t)vlan % LISTS;
		w.step = LISTS;
	}
	w.next = t->heads[w.list];
	return w;
}

static struct mactab_way *walk_next(const struct mactab *t, struct walk *w)
{
	struct mactab_way *e;

	while (!w->next) {
		w->list += w->step;
		if (w->list >= w->end)
			return NULL;
		w->next = t->heads[w->list];
	}
	e = mactab_slot(t, w->next - 1);
	w->next = t->links[w->next - 1].next;
	return e;
}

void mactab_on_gone(struct mactab *t, mactab_gone_fn *gone, void *ctx)
{
	t->gone = gone;
	t->gone_ctx = ctx;
}

static void flush(struct mactab *t, int port, int vlan, bool sticky_too)
{
	struct walk w = walk(t, port, vlan);
	struct mactab_way *e;

	while ((e = walk_next(t, &w))) {
		if (e->sticky && !sticky_too)
			continue;
		if (vlan < 0 || mactab_vlan(e->key) == (unsigned int)vlan)
			mactab_remove(t, e);
	}
}

void mactab_flush(struct mactab *t, int port, int vlan)
{
	flush(t, port, vlan, false);
}

void mactab_forget(struct mactab *t, int port, int vlan)
{
	flush(t, port, vlan, true);
}

void mactab_flush_if(struct mactab *t, mactab_which_fn *which, void *ctx)
{
	for (size_t i = 0; t->used && i < mactab_slots(t); i++) {
		struct mactab_way *e = mactab_slot(t, i);

		if (e->key && !e->sticky &&
		    which(ctx, mactab_vlan(e->key), e->port))
			mactab_remove(t, e);
	}
}

uint32_t mactab_expire(struct mactab *t, uint32_t now_s)
{
	uint32_t oldest = 0;

	for (size_t i = 0; t->used && i < mactab_slots(t); i++) {
		struct mactab_way *e = mactab_slot(t, i);

		if (!e->key)
			continue;
		if (mactab_expired(t, e, now_s))
			mactab_remove(t, e);
		else if (!e->sticky && now_s - e->seen_s > oldest)
			oldest = now_s - e->seen_s;
	}
	if (!t->used)
		return 0;
	return t->expire_s == UINT32_MAX ? UINT32_MAX
					 : now_s - oldest + t->expire_s + 1;
}

/* ---- what guards of ports need ---- */

void mactab_drop(struct mactab *t, uint64_t key)
{
	struct mactab_way *e = mactab_lookup(t, key);

	if (e && !e->sticky)
		mactab_remove(t, e);
}

bool mactab_is_on(const struct mactab *t, uint64_t key, unsigned int port)
{
	const struct mactab_way *e = mactab_lookup(t, key);

	return e && e->port == port;
}

uint32_t mactab_count(const struct mactab *t, unsigned int port)
{
	return t->per_port[port];
}

bool mactab_has_room(struct mactab *t, unsigned int port, uint32_t limit,
		     uint32_t now_s)
{
	if (t->per_port[port] >= limit && t->searched_s != now_s) {
		t->searched_s = now_s;
		mactab_expire(t, now_s);
	}
	return t->per_port[port] < limit;
}

/* The entries of @port that may be forgotten and were silent for at least
 * @age seconds; they are forgotten, @most of them. */
static uint32_t silent(struct mactab *t, unsigned int port, uint32_t age,
		       uint32_t now_s, uint32_t most)
{
	struct walk w = walk(t, (int)port, -1);
	struct mactab_way *e;
	uint32_t n = 0;

	while ((e = walk_next(t, &w))) {
		if (e->sticky || now_s - e->seen_s < age)
			continue;
		n++;
		if (most) {
			most--;
			mactab_remove(t, e);
		}
	}
	return n;
}

/* The age that the youngest of the surplus has is found by halving. */
void mactab_trim(struct mactab *t, unsigned int port, uint32_t keep,
		 uint32_t now_s)
{
	uint32_t low = 0, high, surplus;

	mactab_expire(t, now_s);
	if (t->per_port[port] <= keep)
		return;
	surplus = t->per_port[port] - keep;
	high = t->expire_s < now_s ? t->expire_s : now_s;
	while (low < high) {
		uint32_t age = low + (high - low + 1) / 2;

		if (silent(t, port, age, now_s, 0) >= surplus)
			low = age;
		else
			high = age - 1;
	}
	surplus -= size_min(silent(t, port, low + 1, now_s, surplus), surplus);
	silent(t, port, low, now_s, surplus);
}

bool mactab_may_stick(const struct mactab *t)
{
	return t->n_sticky < MACTAB_MAX_STICKY;
}

static int stick(struct mactab *t, struct mactab_way *e, unsigned int why)
{
	if (!e->sticky) {
		if (!mactab_may_stick(t))
			return -ENOSPC;
		t->n_sticky++;
	}
	e->sticky |= (uint16_t)why;
	return 0;
}

int mactab_stick(struct mactab *t, uint64_t key, unsigned int why)
{
	struct mactab_way *e = mactab_lookup(t, key);

	return e ? stick(t, e, why) : -ENOENT;
}

int mactab_stick_port(struct mactab *t, unsigned int port, unsigned int why)
{
	struct walk w = walk(t, (int)port, -1);
	struct mactab_way *e;
	int rc = 0;

	while ((e = walk_next(t, &w)))
		if (stick(t, e, why))
			rc = -ENOSPC;
	return rc;
}

void mactab_unstick_port(struct mactab *t, unsigned int port, unsigned int why,
			 uint32_t now_s)
{
	struct walk w = walk(t, (int)port, -1);
	struct mactab_way *e;

	while ((e = walk_next(t, &w))) {
		if (!e->sticky)
			continue;
		e->sticky &= (uint16_t)~why;
		if (e->sticky)
			continue;
		e->seen_s = now_s;
		t->n_sticky--;
	}
}

void mactab_forget_sticky(struct mactab *t, unsigned int port)
{
	struct walk w = walk(t, (int)port, -1);
	struct mactab_way *e;

	while ((e = walk_next(t, &w)))
		if (e->sticky)
			mactab_remove(t, e);
}

size_t mactab_sticky(const struct mactab *t)
{
	return t->n_sticky;
}
