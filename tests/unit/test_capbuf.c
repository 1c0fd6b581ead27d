// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/capbuf.h"

#include <string.h>

#include "common/pcapng.h"

#include "../unit/test.h"

#define SIZE 1000

static struct capbuf b;

/* A block of @len bytes, which are @fill behind the first eight. */
static bool put(size_t len, uint8_t fill)
{
	uint8_t *p = capbuf_room(&b, len);
	uint32_t head[2] = { 6, (uint32_t)len };

	if (!p)
		return false;
	CHECK(p >= b.mem && p + len <= b.mem + SIZE);
	memcpy(p, head, sizeof(head));
	memset(p + sizeof(head), fill, len - sizeof(head));
	capbuf_add(&b, len);
	return true;
}

/* Takes @n bytes as a reader would; they go to @out. */
static void get(uint8_t *out, size_t n)
{
	struct iovec iov[2];
	int k = capbuf_iov(&b, iov);
	size_t left = n;

	for (int i = 0; i < k && left; i++) {
		size_t part = size_min(iov[i].iov_len, left);

		memcpy(out, iov[i].iov_base, part);
		out += part;
		left -= part;
	}
	CHECK(!left);
	capbuf_sent(&b, n);
}

static void blocks_leave_as_they_came(void)
{
	uint8_t out[200];

	CHECK(put(100, 1) && put(60, 2));
	CHECK(capbuf_pending(&b) == 160);
	get(out, 160);
	CHECK(pcapng_block_len(out) == 100 && out[99] == 1);
	CHECK(pcapng_block_len(out + 100) == 60 && out[159] == 2);
	CHECK(capbuf_pending(&b) == 0);
}

static void an_empty_buffer_begins_at_its_start(void)
{
	uint8_t out[100];

	CHECK(put(100, 1));
	get(out, 100);
	CHECK(capbuf_room(&b, 100) == b.mem);
	CHECK(put(SIZE, 1) && !put(12, 1));
	capbuf_clear(&b);
	CHECK(capbuf_pending(&b) == 0 && put(SIZE, 1));
	capbuf_clear(&b);
}

static void it_knows_how_much_of_a_block_has_gone(void)
{
	uint8_t out[300];

	CHECK(put(100, 1) && put(100, 2) && put(100, 3));
	get(out, 50);
	CHECK(b.part == 50);
	get(out, 50);
	CHECK(b.part == 0);
	get(out, 120);
	CHECK(b.part == 20 && capbuf_pending(&b) == 80);
	get(out, 80);
	CHECK(b.part == 0 && capbuf_pending(&b) == 0);
}

static void a_full_buffer_takes_nothing_more(void)
{
	uint8_t out[SIZE];

	CHECK(put(500, 1) && put(480, 2));
	CHECK(!put(24, 3));
	get(out, 499); /* the last byte of the first is still there */
	CHECK(!put(24, 3));
	get(out, 1);
	CHECK(put(24, 3) && put(400, 4) && !put(76, 5));
	CHECK(capbuf_pending(&b) == 480 + 24 + 400);
	get(out, 904);
	CHECK(out[479] == 2 && out[503] == 3 && out[903] == 4);
}

/* Against a list of the blocks that are in it. */
static void many_blocks_pass_whatever_the_reader_does(void)
{
	static uint8_t sent[4000000], seen[4000000];
	size_t n_sent = 0, n_seen = 0;
	uint32_t rnd = 1;

	for (int i = 0; i < 20000; i++) {
		size_t len, n;

		rnd = rnd * 1664525 + 1013904223;
		len = 12 + (rnd >> 16) % 40 * 4;
		if (put(len, (uint8_t)i)) {
			uint32_t head[2] = { 6, (uint32_t)len };

			memcpy(sent + n_sent, head, sizeof(head));
			memset(sent + n_sent + 8, (uint8_t)i, len - 8);
			n_sent += len;
		} else {
			CHECK(capbuf_pending(&b) > SIZE - 3 * 172);
		}
		n = size_min((rnd >> 8) % 200, capbuf_pending(&b));
		if (rnd & 128) {
			get(seen + n_seen, n);
			n_seen += n;
		}
		CHECK(capbuf_pending(&b) == n_sent - n_seen);
	}
	get(seen + n_seen, capbuf_pending(&b));
	CHECK(n_sent > 500000 && !memcmp(sent, seen, n_sent));
}

int main(void)
{
	if (!capbuf_init(&b, SIZE))
		return 1;
	RUN(blocks_leave_as_they_came);
	RUN(an_empty_buffer_begins_at_its_start);
	RUN(it_knows_how_much_of_a_block_has_gone);
	RUN(a_full_buffer_takes_nothing_more);
	RUN(many_blocks_pass_whatever_the_reader_does);
	capbuf_fini(&b);
	DONE();
}
