// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same bytes in every possible way of cutting them: what comes out may
 * not depend on it.
 */
#include "base/stream.h"

#include <string.h>

#include "../unit/test.h"

#define MAX 100

static uint8_t bytes[200000];
static size_t n_bytes;

static void add_frame(size_t len, uint8_t fill)
{
	bytes[n_bytes++] = (uint8_t)(len >> 8);
	bytes[n_bytes++] = (uint8_t)len;
	memset(bytes + n_bytes, fill, len);
	n_bytes += len;
}

/* What a reader got, as a checksum that knows about order. */
struct got {
	int frames;
	uint64_t sum;
};

static void take(struct stream *s, struct got *g)
{
	const uint8_t *f;
	size_t len;

	while ((f = stream_next(s, &len))) {
		g->frames++;
		g->sum = g->sum * 31 + len;
		for (size_t i = 0; i < len; i++)
			g->sum = g->sum * 31 + f[i];
	}
}

/* Feeds all bytes in reads of at most @piece (0: random). */
static uint64_t n_empty;

static struct got feed(size_t size, size_t piece, uint64_t *too_long)
{
	uint8_t *buf = malloc(size);
	struct stream s;
	struct got g = { 0 };
	size_t done = 0;
	unsigned int seed = 3;

	stream_init(&s, buf, size, MAX);
	while (done < n_bytes) {
		size_t room, n;
		uint8_t *p = stream_space(&s, &room);

		CHECK(room > 0 && p >= buf && p + room <= buf + size);
		seed = seed * 1103515245 + 12345;
		n = piece ? piece : (seed >> 16) % 300 + 1;
		n = size_min(size_min(n, room), n_bytes - done);
		memcpy(p, bytes + done, n);
		stream_fill(&s, n);
		done += n;
		take(&s, &g);
	}
	if (too_long)
		*too_long = s.too_long;
	n_empty = s.empty;
	free(buf);
	return g;
}

static bool same(struct got a, struct got b)
{
	return a.frames == b.frames && a.sum == b.sum;
}

static void frames_come_out_however_they_are_cut(void)
{
	struct got whole;

	n_bytes = 0;
	for (size_t i = 0; i < 200; i++)
		add_frame(1 + i % MAX, (uint8_t)i);
	whole = feed(sizeof(bytes), sizeof(bytes), NULL);
	CHECK(whole.frames == 200);
	for (size_t size = MAX + STREAM_HDR; size < 4 * MAX; size += 7)
		for (size_t piece = 0; piece < 2 * MAX; piece++)
			if (!same(feed(size, piece, NULL), whole)) {
				printf("# size %zu, piece %zu\n", size, piece);
				test_failed = 1;
				return;
			}
}

static void empty_frames_are_skipped_and_counted(void)
{
	n_bytes = 0;
	for (int i = 0; i < 50; i++)
		add_frame(0, 0);
	add_frame(10, 7);
	add_frame(0, 0);
	for (size_t piece = 1; piece < 5; piece++) {
		CHECK(feed(MAX + STREAM_HDR, piece, NULL).frames == 1);
		CHECK(n_empty == 51);
	}
}

static void an_overlong_frame_is_skipped_whole_and_counted(void)
{
	struct got expected;
	uint64_t n;

	n_bytes = 0;
	add_frame(10, 1);
	add_frame(MAX, 2);
	expected = feed(sizeof(bytes), 0, NULL);
	n_bytes = 0;
	add_frame(MAX + 1, 9);
	add_frame(10, 1);
	add_frame(65535, 9);
	add_frame(1000, 9);
	add_frame(MAX, 2);
	for (size_t piece = 0; piece < 400; piece += 3) {
		CHECK(same(feed(MAX + STREAM_HDR, piece, &n), expected));
		CHECK(n == 3);
	}
}

/* The lengths inside an overlong frame are not lengths. */
static void a_skipped_frame_is_not_looked_into(void)
{
	n_bytes = 0;
	add_frame(5000, 0);
	bytes[500] = 0;
	bytes[501] = 4;
	add_frame(3, 1);
	CHECK(feed(MAX + STREAM_HDR, 64, NULL).frames == 1);
}

static void sending_keeps_order_and_bound(void)
{
	uint8_t buf[2 * (MAX + STREAM_HDR)], frame[MAX];
	struct stream tx;
	const uint8_t *p;
	size_t len;

	memset(frame, 5, sizeof(frame));
	stream_init(&tx, buf, sizeof(buf), MAX);
	CHECK(!stream_add(&tx, frame, 0));
	CHECK(!stream_add(&tx, frame, MAX + 1));
	stream_pending(&tx, &len);
	CHECK(len == 0);
	CHECK(stream_add(&tx, frame, MAX) && stream_add(&tx, frame, MAX));
	CHECK(!stream_add(&tx, frame, 1));
	p = stream_pending(&tx, &len);
	CHECK(len == sizeof(buf) && p[0] == 0 && p[1] == MAX && p[2] == 5);
	stream_sent(&tx, 3); /* room for one byte of a frame */
	CHECK(!stream_add(&tx, frame, 2));
	CHECK(stream_add(&tx, frame, 1));
	p = stream_pending(&tx, &len);
	CHECK(len == sizeof(buf) && p[len - 1] == 5 && p[len - 2] == 1);
	stream_sent(&tx, len);
	stream_pending(&tx, &len);
	CHECK(len == 0);
}

static void count_sent(struct got *g, const uint8_t *frame, size_t len)
{
	g->frames++;
	g->sum = g->sum * 31 + len;
	for (size_t i = 0; i < len; i++)
		g->sum = g->sum * 31 + frame[i];
}

/* Moves up to @most bytes over the wire. False: there were none. */
static bool move(struct stream *tx, struct stream *rx, size_t most)
{
	size_t n, room;
	const uint8_t *from = stream_pending(tx, &n);
	uint8_t *to = stream_space(rx, &room);

	n = size_min(size_min(n, room), most);
	memcpy(to, from, n);
	stream_sent(tx, n);
	stream_fill(rx, n);
	return n > 0;
}

static void what_is_sent_is_received(void)
{
	uint8_t txbuf[1000], rxbuf[MAX + STREAM_HDR], frame[MAX];
	struct stream tx, rx;
	struct got in = { 0 }, out = { 0 };
	unsigned int seed = 11;

	stream_init(&tx, txbuf, sizeof(txbuf), MAX);
	stream_init(&rx, rxbuf, sizeof(rxbuf), MAX);
	for (int round = 0; round < 20000; round++) {
		size_t len;

		seed = seed * 1103515245 + 12345;
		len = (seed >> 16) % MAX + 1;
		memset(frame, round, len);
		if (stream_add(&tx, frame, len))
			count_sent(&in, frame, len);
		move(&tx, &rx, (seed >> 8) % 90);
		take(&rx, &out);
	}
	while (move(&tx, &rx, 50))
		take(&rx, &out);
	CHECK(in.frames > 10000 && in.frames < 20000);
	CHECK(same(in, out) && rx.too_long == 0);
}

int main(void)
{
	RUN(frames_come_out_however_they_are_cut);
	RUN(empty_frames_are_skipped_and_counted);
	RUN(an_overlong_frame_is_skipped_whole_and_counted);
	RUN(a_skipped_frame_is_not_looked_into);
	RUN(sending_keeps_order_and_bound);
	RUN(what_is_sent_is_received);
	DONE();
}
