// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ring.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/ringmap.h"

#define SIZE RING_MIN_SIZE
#define MAX 9234

/* Both sides of one pair of rings, as switch and client map them. */
static struct ringmap sw, cl;

static void setup(void)
{
	int fd = ringmap_create(SIZE);

	CHECK(fd >= 0);
	CHECK(ringmap_open(&sw, fd, SIZE, MAX) == 0);
	CHECK(ringmap_open(&cl, fd, SIZE, MAX) == 0);
	close(fd);
}

static void teardown(void)
{
	ringmap_close(&sw);
	ringmap_close(&cl);
}

static bool put(struct ring *r, uint32_t len, uint8_t fill)
{
	struct ring_record rec = { .len = len };
	int err = 0;
	uint8_t *p = ring_reserve(r, &rec, &err);

	CHECK(!err);
	if (p)
		memset(p, fill, len);
	return p;
}

/* The length of the next frame, 0: none; all its bytes must be @fill. */
static uint32_t get(struct ring *r, uint8_t fill)
{
	struct ring_record rec;
	int err = 0;
	const uint8_t *p = ring_peek(r, &rec, &err);

	CHECK(!err);
	if (!p)
		return 0;
	for (uint32_t i = 0; i < rec.len; i++)
		if (p[i] != fill)
			CHECK(p[i] == fill);
	ring_take(r, &rec);
	return rec.len;
}

static void what_is_published_is_seen_and_nothing_before(void)
{
	setup();
	CHECK(put(&cl.to_switch, 60, 1) && put(&cl.to_switch, 1514, 2));
	CHECK(get(&sw.to_switch, 1) == 0);
	ring_publish(&cl.to_switch);
	CHECK(get(&sw.to_switch, 1) == 60);
	CHECK(get(&sw.to_switch, 2) == 1514);
	CHECK(get(&sw.to_switch, 0) == 0);
	teardown();
}

static void frames_cross_the_end_of_the_ring_in_one_piece(void)
{
	uint32_t last = 14;

	setup();
	CHECK(put(&sw.to_client, last, 255)); /* it never runs empty */
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t len = 14 + i * 7919 % (MAX - 14);

		CHECK(put(&sw.to_client, len, (uint8_t)i));
		ring_publish(&sw.to_client);
		CHECK(get(&cl.to_client, (uint8_t)(i - 1)) == last);
		ring_release(&cl.to_client);
		last = len;
	}
	teardown();
}

static void a_ring_that_runs_empty_uses_its_first_pages_only(void)
{
	uint32_t furthest = 0;

	setup();
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t len = 60 + i % 1455;

		CHECK(put(&sw.to_client, len, (uint8_t)i));
		ring_publish(&sw.to_client);
		CHECK(get(&cl.to_client, (uint8_t)i) == len);
		ring_release(&cl.to_client);
		CHECK(ring_is_empty(&cl.to_client));
		if (cl.to_client.pos - cl.to_client.start > furthest)
			furthest = cl.to_client.pos - cl.to_client.start;
	}
	CHECK(furthest > RING_NEAR &&
	      furthest < RING_NEAR + RING_LOOK + ring_need(1514));
	teardown();
}

/* Of the data area that is mapped at @data. */
static size_t resident_pages(const struct ring *r)
{
	size_t n = 0, page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char in_memory[SIZE / 4096];

	CHECK(!mincore(r->data, SIZE, in_memory));
	for (size_t i = 0; i < SIZE / page; i++)
		n += in_memory[i] & 1;
	return n * page;
}

static void fill(struct ring *to, struct ring *from)
{
	uint32_t n = 0;

	while (put(to, 1008, 7))
		n++;
	ring_publish(to);
	while (n--)
		CHECK(get(from, 7) == 1008);
}

static void memory_of_a_burst_is_given_back(void)
{
	setup();
	fill(&sw.to_client, &cl.to_client);
	CHECK(resident_pages(&sw.to_client) == SIZE);
	CHECK(!ring_trim(&sw.to_client)); /* they are still the consumer's */
	ring_release(&cl.to_client);
	CHECK(ring_trim(&sw.to_client));
	CHECK(resident_pages(&sw.to_client) <= RING_NEAR);

	fill(&sw.to_client, &cl.to_client); /* and it is as good as before */
	ring_release(&cl.to_client);
	CHECK(resident_pages(&sw.to_client) == SIZE);
	for (uint32_t i = 0; i < 3 * RING_CALM * RING_NEAR / 1024; i++) {
		CHECK(put(&sw.to_client, 1008, (uint8_t)i));
		ring_publish(&sw.to_client);
		CHECK(get(&cl.to_client, (uint8_t)i) == 1008);
		ring_release(&cl.to_client);
	}
	CHECK(resident_pages(&sw.to_client) <= RING_FAR);
	teardown();
}

/* A consumer that sleeps finds all of it. */
static void a_burst_has_the_whole_ring_wherever_it_begins(void)
{
	uint32_t n;

	for (uint32_t warm = 0; warm < 100; warm += 7) {
		setup();
		for (uint32_t i = 0; i < warm; i++) {
			CHECK(put(&sw.to_client, 1008, (uint8_t)i));
			ring_publish(&sw.to_client);
			CHECK(get(&cl.to_client, (uint8_t)i) == 1008);
			ring_release(&cl.to_client);
		}
		for (n = 0; put(&sw.to_client, 1008, (uint8_t)n); n++)
			if (n % 5 == 0)
				ring_publish(&sw.to_client);
		ring_publish(&sw.to_client);
		CHECK(n == SIZE / 1024);
		for (uint32_t i = 0; i < n; i++)
			CHECK(get(&cl.to_client, (uint8_t)i) == 1008);
		CHECK(ring_is_empty(&cl.to_client));
		teardown();
	}
}

static void a_batch_may_follow_the_way_back_to_the_start(void)
{
	setup();
	for (uint32_t round = 0; round < 1000; round++) {
		for (uint32_t i = 0; i < 7; i++)
			CHECK(put(&cl.to_switch, 9000 - i, (uint8_t)i));
		ring_publish(&cl.to_switch);
		for (uint32_t i = 0; i < 7; i++)
			CHECK(get(&sw.to_switch, (uint8_t)i) == 9000 - i);
		ring_release(&sw.to_switch);
	}
	teardown();
}

static void a_full_ring_takes_nothing_until_something_is_released(void)
{
	uint32_t n = 0;

	setup();
	while (put(&cl.to_switch, 1008, 1)) /* 1024 with its record */
		n++;
	CHECK(n == SIZE / 1024);
	ring_publish(&cl.to_switch);
	CHECK(ring_wait_room(&cl.to_switch, 1008));
	for (uint32_t i = 1; i <= n; i++) {
		CHECK(get(&sw.to_switch, 1) == 1008);
		/* the kick comes with a quarter of the ring, once */
		CHECK(ring_release(&sw.to_switch) == (i == n / 4));
	}
	CHECK(!ring_wait_room(&cl.to_switch, 1008));
	CHECK(put(&cl.to_switch, 1008, 1));
	teardown();
}

static void room_is_given_back_when_it_is_worth_it(void)
{
	setup();
	for (uint32_t i = 0; i < SIZE / 1024; i++)
		CHECK(put(&cl.to_switch, 1008, 1));
	ring_publish(&cl.to_switch);
	for (uint32_t i = 1; i < SIZE / 1024; i++) {
		CHECK(get(&sw.to_switch, 1) == 1008);
		ring_release_much(&sw.to_switch);
		CHECK(ring_has_room(&cl.to_switch, 1008) == (i >= SIZE / 8192));
	}
	CHECK(ring_wait_room(&cl.to_switch, SIZE - 16));
	CHECK(get(&sw.to_switch, 1) == 1008);
	CHECK(ring_release(&sw.to_switch)); /* the last one, at once */
	CHECK(ring_has_room(&cl.to_switch, SIZE - 16));
	teardown();
}

static void a_sleeping_consumer_is_kicked_once(void)
{
	setup();
	CHECK(ring_wait_data(&sw.to_switch));
	put(&cl.to_switch, 60, 1);
	CHECK(ring_publish(&cl.to_switch));
	put(&cl.to_switch, 60, 1);
	CHECK(!ring_publish(&cl.to_switch));
	CHECK(!ring_wait_data(&sw.to_switch)); /* there are frames */
	CHECK(ring_missed(&cl.to_switch));
	CHECK(!ring_missed(&cl.to_switch));
	CHECK(!ring_wait_cancel(&sw.to_switch)); /* the kick was taken */
	teardown();
}

static void impossible_indices_and_lengths_are_refused(void)
{
	struct ring_record rec = { .len = 60 };
	int err = 0;

	setup(); /* more produced than fits */
	atomic_store(&cl.to_switch.sh->tail, SIZE + 16);
	CHECK(!ring_peek(&sw.to_switch, &rec, &err) && err == -EPROTO);
	teardown();

	setup(); /* less than a record */
	err = 0;
	atomic_store(&cl.to_switch.sh->tail, 8);
	CHECK(!ring_peek(&sw.to_switch, &rec, &err) && err == -EPROTO);
	teardown();

	setup(); /* a frame longer than what was published */
	err = 0;
	put(&cl.to_switch, 2000, 1);
	atomic_store(&cl.to_switch.sh->tail, 1024);
	CHECK(!ring_peek(&sw.to_switch, &rec, &err) && err == -EPROTO);
	teardown();

	setup(); /* a frame longer than any may be, up to 2^32 - 1 */
	for (uint32_t len = MAX + 1; len;
	     len = len < 0x80000000 ? len * 2 : 0) {
		err = 0;
		memcpy(cl.to_switch.data, &(struct ring_record){ .len = len },
		       sizeof(rec));
		atomic_store(&cl.to_switch.sh->tail, SIZE);
		CHECK(!ring_peek(&sw.to_switch, &rec, &err));
		CHECK(err == -EPROTO);
	}
	teardown();

	setup(); /* a start anywhere: what is there is read, if it is a record */
	for (uint32_t start = 1; start; start *= 3) {
		err = 0;
		sw.to_switch.broken = false;
		memset(cl.to_switch.data, 0xff, SIZE);
		atomic_store(&cl.to_switch.sh->start, start);
		atomic_store(&cl.to_switch.sh->tail, SIZE);
		CHECK(!ring_peek(&sw.to_switch, &rec, &err) && err == -EPROTO);
		if (start > 0xffffffff / 3)
			break;
	}
	teardown();

	setup(); /* a consumer that claims to have read the future */
	err = 0;
	atomic_store(&sw.to_client.sh->head, 0x40000000);
	for (int i = 0; i < 100 && !err; i++) {
		rec.len = 1008;
		ring_reserve(&sw.to_client, &rec, &err);
	}
	CHECK(err == -EPROTO);
	teardown();
}

/* Else whoever tries again as long as there is neither room nor an error could
 * be made to try for ever. */
static void a_ring_that_was_broken_stays_so(void)
{
	struct ring_record rec = { .len = 1008 };
	int err = 0;

	setup();
	while (put(&sw.to_client, 1008, 1))
		;
	atomic_store(&sw.to_client.sh->head, 0x40000000);
	CHECK(!ring_wait_room(&sw.to_client, 1008));
	atomic_store(&sw.to_client.sh->head, 0); /* as if nothing had been */
	CHECK(!ring_reserve(&sw.to_client, &rec, &err) && err == -EPROTO);
	CHECK(!ring_wait_room(&sw.to_client, 1008));
	teardown();

	setup();
	err = 0;
	put(&cl.to_switch, 60, 1);
	atomic_store(&cl.to_switch.sh->tail, 2 * SIZE);
	CHECK(!ring_peek(&sw.to_switch, &rec, &err) && err == -EPROTO);
	err = 0;
	atomic_store(&cl.to_switch.sh->tail, 0);
	CHECK(!ring_peek(&sw.to_switch, &rec, &err) && err == -EPROTO);
	teardown();
}

/* A length plus a header that passes 2^32 would look short. */
static void rings_for_frames_that_do_not_fit_are_not_mapped(void)
{
	static const uint32_t bad[] = { SIZE - 15, SIZE, UINT32_MAX - 31,
					UINT32_MAX };
	int fd = ringmap_create(SIZE);
	struct ringmap m;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(ringmap_open(&m, fd, SIZE, bad[i]) == -EPROTO);
	CHECK(ringmap_open(&m, fd, SIZE, SIZE - 16) == 0);
	CHECK(put(&m.to_switch, SIZE - 16, 7));
	ringmap_close(&m);
	close(fd);
}

static void a_file_that_can_shrink_is_not_mapped(void)
{
	FILE *f = tmpfile();
	struct ringmap m;

	CHECK(f && ftruncate(fileno(f), RINGMAP_HEADER + 2 * SIZE) == 0);
	CHECK(ringmap_open(&m, fileno(f), SIZE, MAX) < 0);
	fclose(f);
	CHECK(ringmap_open(&m, ringmap_create(SIZE), 2 * SIZE, MAX) == -EPROTO);
	CHECK(ringmap_open(&m, ringmap_create(SIZE), SIZE - 1, MAX) == -EPROTO);
	CHECK(ringmap_open(&m, 0, 0, MAX) == -EPROTO);
}

/* The other process checks order and content of every frame. */
static void two_processes_pass_frames_in_order(void)
{
	const uint32_t n = 200000;
	uint32_t sent = 0;
	int status;
	pid_t pid;

	setup();
	pid = fork();
	if (!pid) {
		uint32_t got = 0;

		alarm(60);
		while (got < n) {
			struct ring_record rec;
			int err = 0;
			const uint8_t *p;
			uint32_t v;

			p = ring_peek(&sw.to_switch, &rec, &err);
			if (err)
				_exit(1);
			if (!p) {
				sched_yield();
				continue;
			}
			memcpy(&v, p, 4);
			if (v != got || rec.len != 14 + got % 200)
				_exit(2);
			ring_take(&sw.to_switch, &rec);
			ring_release(&sw.to_switch);
			got++;
		}
		_exit(0);
	}
	alarm(60);
	while (sent < n) {
		struct ring_record rec = { .len = 14 + sent % 200 };
		int err = 0;
		uint8_t *p = ring_reserve(&cl.to_switch, &rec, &err);

		if (!p) {
			sched_yield();
			continue;
		}
		memcpy(p, &sent, 4);
		ring_publish(&cl.to_switch);
		sent++;
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	alarm(0);
	teardown();
}

int main(void)
{
	RUN(what_is_published_is_seen_and_nothing_before);
	RUN(frames_cross_the_end_of_the_ring_in_one_piece);
	RUN(a_ring_that_runs_empty_uses_its_first_pages_only);
	RUN(memory_of_a_burst_is_given_back);
	RUN(a_burst_has_the_whole_ring_wherever_it_begins);
	RUN(a_batch_may_follow_the_way_back_to_the_start);
	RUN(a_full_ring_takes_nothing_until_something_is_released);
	RUN(room_is_given_back_when_it_is_worth_it);
	RUN(a_sleeping_consumer_is_kicked_once);
	RUN(impossible_indices_and_lengths_are_refused);
	RUN(a_ring_that_was_broken_stays_so);
	RUN(rings_for_frames_that_do_not_fit_are_not_mapped);
	RUN(a_file_that_can_shrink_is_not_mapped);
	RUN(two_processes_pass_frames_in_order);
	DONE();
}
