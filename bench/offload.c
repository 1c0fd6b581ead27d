// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * offloadbench - what checksums, cutting and merging cost
 *
 * No switch, no library: base/csum, offload and gro on one processor, their
 * data in its caches. Each row runs for a quarter of a second in rounds of
 * 0.1 ms; the fastest round counts, since whatever else the machine does can
 * only slow one down.
 */
#include <stdio.h>
#include <time.h>

#include "../tests/unit/packet.h"
#include "base/csum.h"
#include "base/gro.h"

#define ROUND_NS 100000.0
#define ROW_NS 250000000.0
#define MSS 1448

static uint8_t super[PACKET_MAX], out[PACKET_MAX];
static uint8_t bytes[GRO_BATCH][2048];
static struct gro_frame batch[GRO_BATCH];
static struct frame_offload offload;
static struct gro gro;
static size_t len;
static volatile uint64_t sink;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Nanoseconds for a unit of @work, which tells how many units it did. */
static double cost(unsigned int (*work)(void))
{
	double best = ROW_NS, end = now() + ROW_NS;

	while (now() < end) {
		double start = now(), took;
		unsigned int units = 0;

		do {
			units += work();
			took = now() - start;
		} while (took < ROUND_NS);
		if (took / units < best)
			best = took / units;
	}
	return best;
}

static void row(const char *what, unsigned int (*work)(void), const char *unit)
{
	printf("%-46s %8.1f ns/%s\n", what, cost(work), unit);
}

static void speed(const char *what, unsigned int (*work)(void), size_t n)
{
	printf("%-46s %8.1f GB/s\n", what, (double)n / cost(work));
}

/* ---- work ---- */

static unsigned int sum_64(void)
{
	for (int i = 0; i < 1000; i++)
		sink += csum_sum(super + (i & 15), 64);
	return 1000;
}

static unsigned int sum_mss(void)
{
	for (int i = 0; i < 100; i++)
		sink += csum_sum(super + 66 + (i & 15), MSS);
	return 100;
}

static unsigned int sum_64k(void)
{
	sink += csum_sum(super, 65536);
	return 1;
}

static unsigned int check(void)
{
	for (int i = 0; i < 1000; i++)
		sink += offload_check(super, len, &offload);
	return 1000;
}

static unsigned int cut_parts(void)
{
	static uint8_t hdr[GRO_BATCH][OFFLOAD_HDR_MAX];
	struct iovec iov[OFFLOAD_IOV];
	struct offload_cut c;
	unsigned int n = offload_cut_start(&c, super, len, &offload, NULL), i;

	for (i = 0; offload_cut_next(&c, hdr[i % GRO_BATCH], iov); i++)
		;
	return n;
}

static unsigned int cut_single(void)
{
	for (int i = 0; i < 100; i++)
		cut_parts();
	return 100;
}

static unsigned int cut_copies(void)
{
	struct offload_cut c;
	unsigned int n = offload_cut_start(&c, super, len, &offload, NULL);
	uint8_t *to = out;
	ssize_t k;

	while ((k = offload_cut_copy(&c, to, 2048)) > 0)
		to = to - out > 48000 ? out : to + k;
	return n;
}

static unsigned int merge(void)
{
	uint8_t hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[GRO_IOV];
	struct frame_offload o;
	unsigned int n = gro_merge(&gro, batch, GRO_BATCH);

	for (unsigned int i = 0; i < n; i++)
		sink += (uint64_t)gro_iov(&gro, &gro.runs[i], NULL, &o, hdr,
					  iov);
	return GRO_BATCH;
}

static unsigned int merge_copies(void)
{
	struct frame_offload o;
	unsigned int n = gro_merge(&gro, batch, GRO_BATCH);

	for (unsigned int i = 0; i < n; i++)
		sink += (uint64_t)gro_copy(&gro, &gro.runs[i], NULL, &o, out,
					   sizeof(out));
	return GRO_BATCH;
}

/* ---- data ---- */

static void make_super(int version, bool udp, size_t payload)
{
	const struct packet k = { .version = version,
				  .udp = udp,
				  .tcp_options = 12,
				  .ttl = 64,
				  .flags = 0x18,
				  .port = 4000,
				  .payload = payload,
				  .gso_size = MSS };

	len = packet_make(&k, super, &offload);
}

static void make_batch(unsigned int flows, size_t payload, uint8_t flags)
{
	for (unsigned int i = 0; i < GRO_BATCH; i++) {
		const struct packet k = {
			.version = 4,
			.tcp_options = 12,
			.ttl = 64,
			.flags = flags,
			.df = true,
			.payload = payload,
			.port = (uint16_t)(4000 + i % flows),
			.seq = (uint32_t)(i / flows * payload),
		};
		struct gro_frame *f = &batch[i];

		f->len = (uint32_t)packet_make(&k, out, &f->offload);
		memcpy(bytes[i], out, f->len);
		f->data = bytes[i];
	}
}

int main(void)
{
	make_super(4, false, 65160);
	speed("checksum of 64 bytes", sum_64, 64);
	speed("checksum of 1448 bytes", sum_mss, MSS);
	speed("checksum of 65536 bytes", sum_64k, 65536);
	row("check of metadata", check, "frame");
	row("cut TCP over IPv4, 45 x 1448, by parts", cut_parts, "segment");
	row("the same, in one piece each", cut_copies, "segment");
	make_super(6, false, 65160);
	row("cut TCP over IPv6, 45 x 1448, by parts", cut_parts, "segment");
	make_super(4, true, 65160);
	row("cut UDP over IPv4, 45 x 1448, by parts", cut_parts, "segment");
	make_super(4, false, MSS);
	offload.gso_type = FRAME_GSO_NONE;
	row("checksum alone of 1514 bytes, by parts", cut_single, "frame");
	gro_init(&gro, OFFLOAD_CSUM | OFFLOAD_TSO4, sizeof(out));
	make_batch(1, MSS, 0x10);
	row("merge 64 of 1448, one flow, by parts", merge, "segment");
	row("the same, in one piece each", merge_copies, "segment");
	for (int i = 0; i < GRO_BATCH; i++)
		batch[i].offload.flags = FRAME_DATA_VALID;
	row("the same by parts, sums known to be right", merge, "segment");
	make_batch(8, MSS, 0x10);
	row("merge 64 of 1448, 8 flows, by parts", merge, "segment");
	make_batch(64, MSS, 0x10);
	row("64 flows, nothing to merge", merge, "segment");
	make_batch(1, 0, 0x10);
	row("64 acknowledgements, nothing to merge", merge, "segment");
	return 0;
}
