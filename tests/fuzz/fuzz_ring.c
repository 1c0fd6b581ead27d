// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rings, in both directions, as one side sees them. The first byte chooses the
 * other side: an enemy, who writes into words and records between any two
 * calls; or a good one, which is the same code.
 *
 * With an enemy: no pointer leads out of the data area, no frame is longer than
 * any may be, nobody finds more records than fit, and an error is for ever.
 * With a good one: every frame arrives once, whole and in order, and whoever
 * sleeps is kicked, once, when there is what it waits for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fuzz/input.h"
#include "base/ringmap.h"

#define SIZE RING_MIN_SIZE
#define MAX_LEN 9234

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ringmap us, peer; /* two maps of the same memory */

/* Whatever is likely to be a limit, and anything else. */
static uint32_t near32(struct input *in, uint32_t near)
{
	static const uint32_t limits[] = { 0,	     16,       MAX_LEN,	  SIZE,
					   2 * SIZE, 1u << 31, UINT32_MAX };
	uint32_t kind = take(in);

	if (kind < 64)
		return limits[kind % ARRAY_SIZE(limits)] + take(in) - 128;
	if (kind < 128)
		return near + 16 * take(in);
	if (kind < 160)
		return near - 16 * take(in);
	if (kind < 192)
		return near + SIZE - 16 * take(in);
	return take16(in) << 16 | take16(in);
}

/* ---- an enemy ---- */

static _Atomic uint32_t *some_word(struct ring *r, uint32_t which)
{
	struct ring_shared *sh = r->sh;
	_Atomic uint32_t *const words[] = { &sh->tail, &sh->start, &sh->head,
					    &sh->consumer_waits,
					    &sh->producer_waits };

	return words[which % ARRAY_SIZE(words)];
}

static void spoil_record(struct ring *r, struct input *in)
{
	struct ring_record rec = { .len = near32(in, 0) };
	uint32_t pos = r->pos + 16 * (take(in) - 8);

	memcpy(r->data + ((pos - r->start) & (SIZE - 1)), &rec, sizeof(rec));
}

static void spoil(struct ring *r, struct input *in)
{
	uint32_t what = take(in);

	if (what % 4 == 0)
		spoil_record(r, in);
	else if (what % 4 == 1) /* what it would be if it were good */
		atomic_store(&r->sh->head, r->pos);
	else
		atomic_store(some_word(r, what >> 2), near32(in, r->pos));
}

static bool check_peek(struct ring *r, struct ring_record *rec)
{
	int err = 0;
	const uint8_t *p = ring_peek(r, rec, &err);

	must(err == 0 || err == -EPROTO);
	must(err == 0 || (r->broken && !p));
	must(!r->broken || !p);
	if (!p)
		return false;
	must(p >= r->data + sizeof(*rec) && p < r->data + SIZE + sizeof(*rec));
	must(rec->len <= MAX_LEN);
	must(((uintptr_t)p & (RING_ALIGN - 1)) == 0);
	must(p + rec->len <= r->data + 2 * (size_t)SIZE);
	return true;
}

static void consume(struct ring *r, struct input *in)
{
	uint32_t n = take(in), most = SIZE / RING_ALIGN + 2;
	struct ring_record rec;

	if (n == 255)
		n = UINT32_MAX;
	for (; n && check_peek(r, &rec); n--) {
		must(most-- > 0);
		ring_take(r, &rec);
	}
	if (take(in) & 1)
		ring_release(r);
}

static bool check_reserve(struct ring *r, uint32_t len)
{
	struct ring_record rec = { .len = len };
	bool was = r->broken;
	int err = 0;
	uint8_t *p = ring_reserve(r, &rec, &err);

	must(err == 0 || err == -EPROTO);
	must(err == 0 || (r->broken && !p));
	must(!was || !p);
	if (!p)
		return false;
	must(p >= r->data + sizeof(rec) && p < r->data + SIZE + sizeof(rec));
	must(p + len <= r->data + 2 * (size_t)SIZE);
	if (len)
		p[0] = p[len - 1] = 0x5a;
	return true;
}

static void produce(struct ring *r, struct input *in)
{
	uint32_t n = take(in), len = take16(in) % (MAX_LEN + 1);
	/* Twice the ring: an enemy may have "consumed" what is not published. */
	uint32_t most = 2 * SIZE / RING_ALIGN + 2;

	if (n == 255)
		n = UINT32_MAX;
	for (; n && check_reserve(r, len); n--)
		must(most-- > 0);
	if (take(in) & 1)
		ring_publish(r);
}

static void enemy_step(struct ring *r, struct input *in, bool consumer)
{
	switch (take(in) % 8) {
	case 0:
	case 1:
		if (consumer)
			consume(r, in);
		else
			produce(r, in);
		break;
	case 2:
		if (consumer)
			ring_wait_data(r);
		else
			ring_wait_room(r, take16(in) % (MAX_LEN + 1));
		break;
	case 3:
		if (consumer)
			ring_wait_cancel(r);
		else
			ring_missed(r);
		break;
	case 4:
		if (consumer)
			ring_is_empty(r);
		else
			ring_publish(r);
		break;
	default:
		spoil(r, in);
	}
}

static void against_an_enemy(struct input *in)
{
	/* Also where the indices wrap around. */
	uint32_t start = take(in) & 1 ? 0 : UINT32_MAX - 2 * SIZE + 1;

	for (int i = 0; i < 2; i++) {
		struct ring *r = i ? &us.to_client : &us.to_switch;

		r->pos = r->other = r->look = start;
		atomic_store(&r->sh->tail, start);
		atomic_store(&r->sh->head, start);
	}
	while (in->left) {
		bool consumer = take(in) & 1;

		enemy_step(consumer ? &us.to_switch : &us.to_client, in,
			   consumer);
	}
}

/* ---- a good one ---- */

struct model {
	uint32_t put, published, got, released; /* frames */
	uint32_t bytes; /* of what is not released, at least */
	bool consumer_sleeps, producer_sleeps;
};

static uint32_t length_of(uint32_t seed, uint32_t i)
{
	uint32_t n = (i * 2654435761u) ^ (seed << 20);

	return seed & 1 ? 14 + n % 200 : 14 + n % (MAX_LEN - 13);
}

static void good_put(struct model *m, uint32_t seed)
{
	struct ring_record rec = { .len = length_of(seed, m->put) };
	int err = 0;
	uint8_t *p = ring_reserve(&peer.to_switch, &rec, &err);

	must(!err);
	/* There is room unless frames take it. */
	must(p || m->put > m->released);
	if (!p)
		return;
	memset(p, (int)m->put, rec.len);
	m->put++;
}

static void good_publish(struct model *m)
{
	bool had = m->published > m->got, kick = ring_publish(&peer.to_switch);

	m->published = m->put;
	if (kick)
		must(m->consumer_sleeps);
	if (m->consumer_sleeps && !had)
		must(kick || m->published == m->got);
	if (kick)
		m->consumer_sleeps = false;
}

static void good_get(struct model *m, uint32_t seed)
{
	struct ring_record rec;
	int err = 0;
	const uint8_t *p = ring_peek(&us.to_switch, &rec, &err);

	must(!err && (p != NULL) == (m->published > m->got));
	if (!p)
		return;
	must(rec.len == length_of(seed, m->got));
	must(p[0] == (uint8_t)m->got && !memcmp(p, p + 1, rec.len - 1));
	ring_take(&us.to_switch, &rec);
	m->got++;
}

static void good_release(struct model *m)
{
	m->released = m->got;
	if (!ring_release(&us.to_switch)) {
		/* All of it is free: whoever waits must hear of that. */
		must(!m->producer_sleeps || m->released < m->published);
		return;
	}
	must(m->producer_sleeps);
	m->producer_sleeps = false;
}

static void good_step(struct model *m, struct input *in, uint32_t seed)
{
	uint32_t what = take(in);

	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		good_put(m, seed);
		break;
	case 3:
		good_publish(m);
		break;
	case 4:
		good_get(m, seed);
		break;
	case 5:
		good_release(m);
		break;
	case 6: /* a good consumer sleeps when it has taken all */
		if (m->got == m->published && !m->consumer_sleeps)
			m->consumer_sleeps = ring_wait_data(&us.to_switch);
		break;
	default: /* and a good producer when all is published */
		if (m->put != m->published || m->producer_sleeps)
			break;
		m->producer_sleeps = ring_wait_room(&peer.to_switch, MAX_LEN);
		must(!m->producer_sleeps || m->released < m->published);
	}
}

static void with_a_good_one(struct input *in)
{
	struct model m = { 0 };
	uint32_t seed = take(in);

	while (in->left)
		good_step(&m, in, seed);
	good_publish(&m);
	while (m.got < m.published)
		good_get(&m, seed);
	good_release(&m);
	must(!m.producer_sleeps);
}

static void map_once(void)
{
	int fd;

	if (us.base)
		return;
	fd = ringmap_create(SIZE);
	must(fd >= 0 && ringmap_open(&us, fd, SIZE, MAX_LEN) == 0 &&
	     ringmap_open(&peer, fd, SIZE, MAX_LEN) == 0);
	close(fd);
}

static void start_anew(struct ring *r)
{
	memset(r->sh, 0, sizeof(*r->sh));
	ring_init(r, r->sh, r->data, SIZE, MAX_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	map_once();
	start_anew(&us.to_switch);
	start_anew(&us.to_client);
	start_anew(&peer.to_switch);
	memset(us.to_switch.data, 0, SIZE); /* one input must not see another */
	if (take(&in) & 1)
		with_a_good_one(&in);
	else
		against_an_enemy(&in);
	return 0;
}
