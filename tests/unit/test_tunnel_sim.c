/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tunnel_sim - a million packets over a bad wire, and not one wrong frame
 *
 * Two tunnels, a clock that a step of 20 us moves, and a wire that loses,
 * repeats, delays and changes what it carries, all from one seed. Frames say
 * which they are, all their bytes follow from that, and some are long enough
 * to go in parts. Sessions are renewed each second, the client moves to
 * another address now and then. At the end the tunnels must have delivered
 * exactly those frames of which all datagrams arrived unchanged: each once,
 * none else.
 */
#include <string.h>

#include "base/rng.h"
#include "cryptcab/noise.h"
#include "cryptcab/tunnel.h"
#include "test.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define STEP (20000)
#define SLOTS 4096 /* steps that a datagram can be late, less one */
#define POOL 32768
#define LONGEST 1472
#define PARTS 4
#define FRAME_MAX 4000

#if defined(__SANITIZE_ADDRESS__)
#define PACKETS 150000U
#else
#define PACKETS 1000000U
#endif

struct dgram {
	struct dgram *next;
	struct tunnel_addr from;
	int to;
	int64_t frame; /* -1: something else */
	uint8_t part;
	bool changed;
	size_t len;
	uint8_t p[LONGEST];
};

struct side {
	struct tunnel *t;
	struct tunnel_peer *peer;
	struct tunnel_addr addr;
	uint8_t key[32], pub[32];
	uint32_t n; /* frames given to it */
	uint8_t *parts_of, *came, *delivered; /* for each frame of the other */
	uint32_t wrong, twice, good;
	uint32_t events[TUNNEL_N_EVENTS];
};

static struct {
	uint64_t now;
	uint32_t slot;
	struct rng rng;
	struct side side[2];
	struct dgram *at[SLOTS], *last[SLOTS], *free, *pool;
	uint64_t packets, lost, repeated, changed;
	int64_t frame; /* what is being sent */
	uint8_t part;
} sim;

static void sim_random(void *ctx, void *p, size_t len)
{
	uint8_t *b = p;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)rng_u64(&sim.rng);
}

static bool one_in(uint64_t n)
{
	return rng_below(&sim.rng, n) == 0;
}

/* One copy, some steps from now. Most are a little late, some are very. */
static void put(const struct dgram *from_here, bool damage)
{
	uint64_t late = 1 + rng_below(&sim.rng, one_in(20) ? 3000 : 100);
	uint32_t slot = (uint32_t)(sim.slot + late) % SLOTS;
	struct dgram *d = sim.free;

	if (!d) {
		CHECK(!"the pool is large enough");
		return;
	}
	sim.free = d->next;
	*d = *from_here;
	if (damage) {
		d->changed = true;
		d->p[rng_below(&sim.rng, d->len)] ^=
			(uint8_t)(1 << rng_below(&sim.rng, 8));
		if (one_in(4))
			d->len = rng_below(&sim.rng, d->len);
		sim.changed++;
	}
	d->next = NULL;
	if (sim.last[slot])
		sim.last[slot]->next = d;
	else
		sim.at[slot] = d;
	sim.last[slot] = d;
}

static void on_wire(int from, const uint8_t *p, size_t len)
{
	static struct dgram d;

	sim.packets++;
	if (len > LONGEST || one_in(20)) {
		sim.lost++;
		return;
	}
	d.from = sim.side[from].addr;
	d.to = !from;
	d.frame = sim.frame;
	d.part = sim.part;
	d.changed = false;
	d.len = len;
	memcpy(d.p, p, len);
	put(&d, one_in(50));
	if (one_in(30)) {
		sim.repeated++;
		put(&d, one_in(50));
	}
}

static void sim_send(void *ctx, const struct tunnel_addr *to, const uint8_t *p,
		     size_t len, bool probe)
{
	struct side *s = ctx;
	int64_t frame = sim.frame;

	(void)to;
	(void)probe;
	sim.frame = -1;
	on_wire((int)(s - sim.side), p, len);
	sim.frame = frame;
}

/* --- frames --------------------------------------------------------------- */

static size_t frame_len(uint32_t n)
{
	uint32_t h = n * 2654435761U;

	if (h % 64 == 0)
		return 1500 + h / 64 % (FRAME_MAX - 1500);
	return 14 + h / 64 % 200;
}

static void make_frame(int from, uint32_t n, uint8_t *p)
{
	size_t len = frame_len(n);

	p[0] = (uint8_t)from;
	memcpy(p + 1, &n, sizeof(n));
	for (size_t i = 5; i < len; i++)
		p[i] = (uint8_t)(n * 31 + i * 7 + (i >> 8));
}

static void sim_frame(void *ctx, struct tunnel_peer *peer, uint8_t *frame,
		      size_t len, const struct tunnel_meta *meta)
{
	struct side *s = ctx;
	int other = !(s - sim.side);
	uint8_t want[FRAME_MAX];
	uint32_t n = UINT32_MAX;

	memcpy(&n, frame + 1, sizeof(n));
	if (peer != s->peer || n >= sim.side[other].n || len != frame_len(n) ||
	    meta->tos != (uint8_t)n) {
		s->wrong++;
		return;
	}
	make_frame(other, n, want);
	if (memcmp(frame, want, len) != 0) {
		s->wrong++;
		return;
	}
	s->twice += s->delivered[n];
	s->delivered[n] = 1;
	s->good++;
}

static void sim_event(void *ctx, struct tunnel_peer *peer, enum tunnel_event ev,
		      const uint8_t key[static TUNNEL_KEY_LEN],
		      const struct tunnel_addr *addr)
{
	struct side *s = ctx;

	(void)peer;
	(void)key;
	(void)addr;
	s->events[ev]++;
}

static const struct tunnel_ops ops = {
	.random = sim_random,
	.send = sim_send,
	.frame = sim_frame,
	.event = sim_event,
};

/* The next frame of @from; how many datagrams it became. */
static void send_frame(int from)
{
	static uint8_t buf[TUNNEL_HEAD + FRAME_MAX + TUNNEL_TAIL];
	static uint8_t out[PARTS * LONGEST];
	struct side *s = &sim.side[from], *r = &sim.side[!from];
	uint8_t *frame = buf + TUNNEL_HEAD;
	struct tunnel_packet pk[PARTS];
	const struct tunnel_parts parts = { out, sizeof(out), pk, PARTS };
	struct tunnel_packet one = { frame, (uint32_t)frame_len(s->n),
				     TUNNEL_TAIL, (uint8_t)s->n };
	int n;

	make_frame(from, s->n, frame);
	if (one.len > tunnel_room(s->peer)) {
		n = tunnel_fragment(s->peer, &one, &parts, sim.now);
	} else {
		n = tunnel_seal(s->peer, &one, 1, sim.now);
		pk[0] = one;
	}
	if (n < 0)
		n = 0;
	r->parts_of[s->n] = (uint8_t)n;
	for (int i = 0; i < n; i++) {
		sim.frame = s->n;
		sim.part = (uint8_t)i;
		on_wire(from, pk[i].data, pk[i].len);
	}
	sim.frame = -1;
	s->n++;
}

static void arrive(void)
{
	struct dgram *d, *next;

	for (d = sim.at[sim.slot]; d; d = next) {
		struct side *s = &sim.side[d->to];

		next = d->next;
		if (d->frame >= 0 && !d->changed)
			s->came[d->frame] |= (uint8_t)(1 << d->part);
		tunnel_recv(s->t, &d->from, d->p, d->len, 0, sim.now);
		d->next = sim.free;
		sim.free = d;
	}
	sim.at[sim.slot] = sim.last[sim.slot] = NULL;
}

static void step(void)
{
	sim.now += STEP;
	sim.slot = (sim.slot + 1) % SLOTS;
	arrive();
	for (int i = 0; i < 2; i++)
		if (tunnel_next(sim.side[i].t) <= sim.now)
			tunnel_tick(sim.side[i].t, sim.now);
}

static void open_side(int i, uint32_t ciphers)
{
	struct side *s = &sim.side[i];
	struct tunnel_config cfg;

	memset(s->key, 0x50 + i, sizeof(s->key));
	CHECK(noise_public(s->pub, s->key));
	s->addr = (struct tunnel_addr){ 2, 1, { (uint8_t)i, 0 } };
	tunnel_defaults(&cfg);
	cfg.ops = &ops;
	cfg.ctx = s;
	cfg.key = s->key;
	cfg.stamp_base = 1;
	cfg.ciphers = ciphers;
	cfg.rekey_after = S;
	cfg.reject_after = 2 * S;
	cfg.partial_max = 1024;
	CHECK(tunnel_new(&s->t, &cfg) == 0);
	s->parts_of = calloc(PACKETS, 1);
	s->came = calloc(PACKETS, 1);
	s->delivered = calloc(PACKETS, 1);
}

static void meet(int i, bool active)
{
	struct side *s = &sim.side[i], *o = &sim.side[!i];
	const struct tunnel_peer_config pc = { .key = o->pub,
					       .active = active,
					       .addr = active ? &o->addr
							      : NULL };

	CHECK(tunnel_peer_add(s->t, &pc, sim.now, &s->peer) == 0);
}

static void begin(uint64_t seed, uint32_t ciphers)
{
	memset(&sim, 0, sizeof(sim));
	rng_init(&sim.rng, seed);
	sim.frame = -1;
	sim.now = 1000 * S;
	sim.pool = calloc(POOL, sizeof(sim.pool[0]));
	for (int i = 0; sim.pool && i < POOL; i++) {
		sim.pool[i].next = sim.free;
		sim.free = &sim.pool[i];
	}
	open_side(0, ciphers);
	open_side(1, ciphers);
	meet(1, false);
	meet(0, true);
}

static void finish(void)
{
	for (int i = 0; i < 2; i++) {
		tunnel_free(sim.side[i].t);
		free(sim.side[i].parts_of);
		free(sim.side[i].came);
		free(sim.side[i].delivered);
	}
	free(sim.pool);
}

/* Delivered if everything of it came, and only then. */
static uint32_t not_as_it_should(const struct side *s, uint32_t n)
{
	uint32_t bad = 0;

	for (uint32_t i = 0; i < n; i++) {
		bool all = s->parts_of[i] &&
			   s->came[i] == (1U << s->parts_of[i]) - 1;

		bad += all != (s->delivered[i] == 1);
	}
	return bad;
}

static void run(uint64_t seed, uint32_t ciphers)
{
	uint64_t moved = 0;

	begin(seed, ciphers);
	while (sim.packets < PACKETS) {
		step();
		send_frame(one_in(2));
		if (sim.packets >= moved + 100000) {
			moved = sim.packets;
			sim.side[0].addr.b[1]++;
		}
	}
	for (int i = 0; i < SLOTS; i++)
		step();
	for (int i = 0; i < 2; i++) {
		const struct side *s = &sim.side[i];
		uint32_t n = sim.side[!i].n;
		const uint64_t *c = tunnel_counts(s->t);

		printf("# side %d: %u of %u frames, %u sessions, %llu forged, "
		       "%llu twice\n",
		       i, s->good, n, (unsigned int)c[TUNNEL_SESSIONS],
		       (unsigned long long)c[TUNNEL_FORGED],
		       (unsigned long long)c[TUNNEL_REPLAYED]);
		CHECK(s->wrong == 0 && s->twice == 0);
		CHECK(not_as_it_should(s, n) == 0);
		CHECK(s->good > n / 100 * 85);
		CHECK(s->events[TUNNEL_DOWN] == 0);
		CHECK(c[TUNNEL_BAD_MESSAGE] + c[TUNNEL_BAD_FRAGMENT] == 0);
	}
	CHECK(sim.side[1].events[TUNNEL_ROAMED] >= PACKETS / 100000);
	CHECK(sim.lost > PACKETS / 25 && sim.changed > PACKETS / 60 &&
	      sim.repeated > PACKETS / 40);
	finish();
}

static void a_million_packets_and_not_one_wrong_frame(void)
{
	run(1, 1U << AEAD_CHACHAPOLY | 1U << AEAD_AESGCM);
}

static void nor_with_the_other_cipher_and_another_seed(void)
{
	run(2, 1U << AEAD_CHACHAPOLY);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(a_million_packets_and_not_one_wrong_frame);
	RUN(nor_with_the_other_cipher_and_another_seed);
	DONE();
}
