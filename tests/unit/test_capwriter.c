// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/capwriter.h"

#include <string.h>

#include "switch/bridge.h"

#include "../unit/test.h"

#define SIZE 4096
#define SECTION 0x0a0d0d0a
#define INTERFACE 1
#define STATS 5
#define PACKET 6

static struct capwriter cw;
static struct bridge *br;
static struct endpoint ep;
static uint8_t payload[400];
static const struct iovec iov = { payload, sizeof(payload) };

/* The blocks that wait, by type, as "S", "I", "P", "T". */
static char kinds[256];
static uint64_t gaps, lost;
static unsigned int stats;

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Looks into the options behind the packet: the drop count comes second. */
static void look_at_packet(const uint8_t *b)
{
	const uint8_t *o = b + 28 + word(b + 20) + 8;
	uint64_t v;

	if (o[0] == 4) {
		memcpy(&v, o + 4, sizeof(v));
		gaps += v;
	}
}

/* Drops are the third option. */
static void look_at_stats(const uint8_t *b)
{
	uint64_t v;

	memcpy(&v, b + 20 + 2 * 12 + 4, sizeof(v));
	lost += v;
	stats++;
}

static const char *read_all(void)
{
	struct iovec part[2];
	int n = capbuf_iov(&cw.buf, part);
	size_t k = 0;

	for (int i = 0; i < n; i++) {
		const uint8_t *p = part[i].iov_base;
		const uint8_t *end = p + part[i].iov_len;

		for (; p < end; p += pcapng_block_len(p)) {
			switch (word(p)) {
			case SECTION:
				kinds[k++] = 'S';
				break;
			case INTERFACE:
				kinds[k++] = 'I';
				break;
			case PACKET:
				kinds[k++] = 'P';
				look_at_packet(p);
				break;
			case STATS:
				kinds[k++] = 'T';
				look_at_stats(p);
				break;
			default:
				kinds[k++] = '?';
			}
		}
	}
	kinds[k] = '\0';
	capbuf_sent(&cw.buf, capbuf_pending(&cw.buf));
	return kinds;
}

static bool put(unsigned int port)
{
	struct pcapng_packet pkt = { .iov = &iov,
				     .len = sizeof(payload),
				     .wire_len = sizeof(payload) };

	return capwriter_put(&cw, br->ports[port], &pkt);
}

static void begin(size_t size)
{
	gaps = lost = 0;
	stats = 0;
	CHECK(capwriter_start(&cw, size, 100, NULL, 1));
}

static void interfaces_are_described_when_they_come(void)
{
	begin(SIZE);
	CHECK(put(3) && put(3) && put(1) && put(3));
	CHECK(!strcmp(read_all(), "SIPPIPP"));
	CHECK(put(2));
	CHECK(!strcmp(read_all(), "IP"));
	CHECK(capwriter_finish(&cw, 2));
	CHECK(!strcmp(read_all(), "TTT") && !lost);
}

static void a_new_section_describes_them_again(void)
{
	begin(SIZE);
	CHECK(put(3) && cw.interfaces == 1);
	begin(SIZE);
	CHECK(cw.interfaces == 0 && put(1) && put(3));
	CHECK(!strcmp(read_all(), "SIPIP"));
}

static void what_is_lost_is_told_by_the_next_and_at_the_end(void)
{
	unsigned int n = 0;

	begin(SIZE);
	CHECK(put(1));
	while (put(1))
		n++;
	CHECK(n > 3 && n < 12);
	for (int i = 0; i < 5; i++)
		capwriter_lose(&cw, br->ports[1]);
	capwriter_lose(&cw, br->ports[2]);
	read_all();
	CHECK(!gaps);
	CHECK(put(1) && put(1) && put(2));
	read_all();
	CHECK(gaps == 6);
	CHECK(capwriter_finish(&cw, 2));
	read_all();
	CHECK(lost == 6 && stats == 2);
}

static void a_port_that_lost_everything_has_statistics_too(void)
{
	begin(SIZE);
	capwriter_lose(&cw, br->ports[2]);
	CHECK(capwriter_finish(&cw, 2));
	CHECK(!strcmp(read_all(), "SIT") && lost == 1);
}

static void statistics_come_as_there_is_room(void)
{
	unsigned int turns = 0;

	begin(SIZE);
	read_all();
	for (unsigned int i = 1; i <= 100; i++)
		capwriter_lose(&cw, br->ports[i]);
	while (!capwriter_finish(&cw, 2)) {
		read_all();
		turns++;
	}
	read_all();
	CHECK(turns > 2 && stats == 100 && lost == 100);
}

static void no_more_is_taken_of_memory_than_was_said(void)
{
	begin(SIZE);
	for (unsigned int i = 1; i <= 100; i++)
		if (!put(i))
			capwriter_lose(&cw, br->ports[i]);
	CHECK(capbuf_pending(&cw.buf) <= SIZE);
	CHECK(!capwriter_start(&cw, 64, 100, NULL, 1));
}

static void the_newest_client_speaks_for_the_port(void)
{
	static const struct transport tr = { .module = "test", .name = "test" };
	struct iovec part[2];

	endpoint_init(&ep, &tr, 1, 0, "somebody");
	list_add_head(&br->ports[1]->endpoints, &ep.node);
	begin(SIZE);
	CHECK(put(1) && capbuf_iov(&cw.buf, part) == 1);
	CHECK(memmem(part[0].iov_base, part[0].iov_len, "somebody", 8) != NULL);
	list_del(&ep.node);
}

int main(void)
{
	const struct bridge_config cf = { .numports = 100,
					  .hash_size = 64,
					  .pool_frames = 16 };

	br = bridge_new(&cf);
	if (!br)
		return 1;
	for (unsigned int i = 1; i <= 100; i++)
		if (bridge_port_create(br, i))
			return 1;
	RUN(interfaces_are_described_when_they_come);
	RUN(a_new_section_describes_them_again);
	RUN(what_is_lost_is_told_by_the_next_and_at_the_end);
	RUN(a_port_that_lost_everything_has_statistics_too);
	RUN(statistics_come_as_there_is_room);
	RUN(no_more_is_taken_of_memory_than_was_said);
	RUN(the_newest_client_speaks_for_the_port);
	capwriter_fini(&cw);
	bridge_free(br);
	DONE();
}
