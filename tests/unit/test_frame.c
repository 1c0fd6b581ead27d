// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/frame.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../unit/test.h"

static void a_pool_has_a_limit(void)
{
	struct frame_pool *p = frame_pool_new(100, 70);
	struct frame *f[70];

	CHECK(frame_pool_room(p) >= 100);
	CHECK(frame_pool_left(p) == 70 && frame_pool_used(p) == 0);
	for (int i = 0; i < 70; i++) {
		f[i] = frame_new(p);
		CHECK(f[i] != NULL);
	}
	CHECK(!frame_new(p));
	CHECK(frame_pool_left(p) == 0 && frame_pool_used(p) == 70);
	frame_unref(f[3]);
	CHECK(frame_pool_left(p) == 1);
	f[3] = frame_new(p);
	CHECK(f[3] && !frame_new(p));
	for (int i = 0; i < 70; i++)
		frame_unref(f[i]);
	CHECK(frame_pool_used(p) == 0);
	frame_pool_free(p);
	frame_pool_free(NULL);
}

static void frames_do_not_share_bytes(void)
{
	struct frame_pool *p = frame_pool_new(1000, 200);
	struct frame *f[200];
	bool intact = true;

	for (int i = 0; i < 200; i++) {
		f[i] = frame_new(p);
		memset(f[i]->data, i, frame_pool_room(p));
		frame_set_tci(f[i], (uint16_t)i);
	}
	for (int i = 0; i < 200; i++) {
		for (size_t n = 0; n < frame_pool_room(p); n++)
			intact = intact && f[i]->data[n] == (uint8_t)i;
		intact = intact && frame_vid(f[i]) == i;
		frame_unref(f[i]);
	}
	CHECK(intact);
	frame_pool_free(p);
}

static void a_frame_lives_as_long_as_a_reference(void)
{
	struct frame_pool *p = frame_pool_new(100, 1);
	struct frame *f = frame_new(p);

	CHECK(frame_ref(f) == f);
	frame_unref(f);
	CHECK(frame_pool_used(p) == 1 && !frame_new(p));
	frame_unref(f);
	CHECK(frame_pool_used(p) == 0);
	frame_pool_free(p);
}

/* Nothing of its last use may show. */
static void a_reused_frame_is_as_new(void)
{
	struct frame_pool *p = frame_pool_new(100, 1);
	struct frame *f = frame_new(p);
	static const uint8_t untagged[] = { 0x81, 0x00, 0x00, 0x00 };
	uint8_t *start = f->data;

	f->len = 60;
	f->data += 4;
	frame_set_tci(f, 0xe123);
	f->offload.flags = FRAME_NEEDS_CSUM;
	f->offload.gso_size = 1448;
	frame_unref(f);
	f = frame_new(p);
	CHECK(f->data == start && f->len == 0 && f->refs == 1);
	CHECK(f->tci == 0 && !memcmp(f->tag, untagged, 4));
	CHECK(f->offload.flags == 0 && f->offload.gso_size == 0 &&
	      f->offload.gso_type == FRAME_GSO_NONE);
	frame_unref(f);
	frame_pool_free(p);
}

static size_t gather(uint8_t *to, const struct frame *f, bool tagged)
{
	struct iovec iov[FRAME_IOV];
	int n = frame_iov(f, tagged, iov);
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

static void the_tag_is_added_between_source_and_type(void)
{
	struct frame_pool *p = frame_pool_new(100, 1);
	struct frame *f = frame_new(p);
	uint8_t out[128];

	for (uint32_t i = 0; i < 60; i++)
		f->data[f->len++] = (uint8_t)i;
	frame_set_tci(f, 0x6abc);
	CHECK(frame_vid(f) == 0xabc);
	CHECK(gather(out, f, false) == 60 && frame_wire_len(f, false) == 60);
	CHECK(!memcmp(out, f->data, 60));
	CHECK(gather(out, f, true) == 64 && frame_wire_len(f, true) == 64);
	CHECK(!memcmp(out, f->data, 12));
	CHECK(!memcmp(out + 12, "\x81\x00\x6a\xbc", 4));
	CHECK(!memcmp(out + 16, f->data + 12, 48));
	f->len = ETHER_HDR_LEN; /* the shortest */
	CHECK(gather(out, f, true) == 18);
	frame_unref(f);
	frame_pool_free(p);
}

static void an_impossible_size_is_no_memory(void)
{
	struct frame_pool *p = frame_pool_new(SIZE_MAX / 2, 100);

	CHECK(!p || !frame_new(p));
	frame_pool_free(p);
	p = frame_pool_new(SIZE_MAX - 1, 100);
	CHECK(!p || !frame_new(p));
	frame_pool_free(p);
}

/* In bytes; 0 if nobody tells. */
static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void a_frame_costs_what_is_written_to_it(void)
{
	struct frame_pool *p = frame_pool_new(65536, 1024);
	static struct frame *f[1024];
	size_t before = resident();

	for (int i = 0; i < 1024; i++) {
		f[i] = frame_new(p);
		memset(f[i]->data, 1, 1000);
		f[i]->len = 1000;
	}
	CHECK(resident() < before + (16 << 20));
	for (int i = 0; i < 1024; i++)
		frame_unref(f[i]);
	CHECK(frame_pool_touched(p) == 1024 * 1000);
	frame_pool_free(p);
}

static void what_idle_frames_keep_is_bounded(void)
{
	struct frame_pool *p = frame_pool_new(65536, 1024);
	static struct frame *f[1024];
	size_t before = resident();

	for (int k = 0; k < 2; k++) {
		for (int i = 0; i < 1024; i++) {
			f[i] = frame_new(p);
			f[i]->len = 65536;
			memset(f[i]->data, i, f[i]->len);
		}
		for (int i = 0; i < 1024; i++) {
			CHECK(f[i]->data[65535] == (i & 0xff));
			frame_unref(f[i]);
		}
		CHECK(frame_pool_touched(p) < FRAME_POOL_KEEP + (4 << 20));
		CHECK(resident() < before + FRAME_POOL_KEEP + (16 << 20));
	}
	frame_pool_free(p);
}

int main(void)
{
	RUN(a_pool_has_a_limit);
	RUN(frames_do_not_share_bytes);
	RUN(a_frame_lives_as_long_as_a_reference);
	RUN(a_reused_frame_is_as_new);
	RUN(the_tag_is_added_between_source_and_type);
	RUN(an_impossible_size_is_no_memory);
	RUN(a_frame_costs_what_is_written_to_it);
	RUN(what_idle_frames_keep_is_bounded);
	DONE();
}
