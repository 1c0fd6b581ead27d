// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames with metadata, cut and merged. The first byte chooses: one frame and
 * its metadata as they come; one that is made from a description, in a tunnel
 * or not, and then spoiled; batches of frames of either sort.
 *
 * A cut reads nothing but the frame and writes nothing but its room, both of
 * which are exactly as large as they may be; it gives the same whether by
 * parts or in one piece; and if the checksum was begun rightly, every segment
 * is a sound packet. Merging loses and doubles nothing, keeps the order of
 * each flow, mends nothing, and a cut gives back what was merged.
 */
#include "base/gro.h"

#include <stdlib.h>

#include "../fuzz/input.h"
#include "../unit/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static uint8_t made[PACKET_MAX], segment[PACKET_MAX + 4];
static const uint8_t tag_bytes[ETHER_TAG_LEN] = { 0x81, 0, 0x60, 0x0a };

/* ---- one frame ---- */

/* Was the sum of the pseudo-header right, of a frame that is to be cut? */
static bool seed_is_right(const uint8_t *f, size_t len, size_t ip, size_t l4,
			  bool udp)
{
	uint8_t field[2] = { f[l4 + (udp ? 6 : 16)], f[l4 + (udp ? 7 : 17)] };
	uint32_t sum = packet_pseudo(f + ip, udp ? 17 : 6, len - l4);

	if (udp && ((size_t)f[l4 + 4] << 8 | f[l4 + 5]) != len - l4)
		return false;
	return packet_sum(0, field, 2) % 0xffff == sum % 0xffff;
}

/* The checksum inside of a tunnel, which is begun rightly: what was summed
 * first had the length of the whole. */
static void see_inner(const uint8_t *f, size_t len,
		      const struct frame_offload *o, const uint8_t *s, size_t n)
{
	size_t l4 = o->csum_start, at = l4 + o->csum_offset;
	uint32_t sum = (uint32_t)f[at] << 8 | f[at + 1];

	sum += packet_sum(0, s + l4, n - l4) + (uint32_t)(n - l4);
	must((sum + 2 * 0xffff - (uint32_t)(len - l4)) % 0xffff == 0);
}

/* The headers of the tunnel of @s, a segment of @f, in which @ip is where IP
 * begins. */
static void see_outer(const uint8_t *f, size_t len, size_t ip, const uint8_t *s,
		      size_t n, unsigned int i)
{
	size_t udp = 40;
	uint8_t proto = s[ip + 6];

	if (f[ip] >> 4 == 4) {
		udp = (s[ip] & 15) * 4u;
		proto = s[ip + 9];
		must(ether_be16(s + ip + 2) == n - ip);
		must(packet_sum(0, s + ip, udp) == 0xffff);
		must((uint16_t)(ether_be16(s + ip + 4) -
				ether_be16(f + ip + 4)) == i);
	} else {
		must(ether_be16(s + ip + 4) == n - ip - 40);
	}
	if (proto != 17)
		return;
	udp += ip;
	must(ether_be16(s + udp + 4) == n - udp);
	must(!ether_be16(s + udp + 6) == !ether_be16(f + udp + 6));
	if (ether_be16(f + udp + 6) && seed_is_right(f, len, ip, udp, true))
		must(packet_sum(packet_pseudo(s + ip, 17, n - udp), s + udp,
				n - udp) == 0xffff);
}

/* Number @i of segments of @f is @s. */
static void see_segment(const uint8_t *f, size_t len,
			const struct frame_offload *o, const uint8_t *s,
			size_t n, unsigned int i)
{
	bool tunnel = o->gso_type & FRAME_GSO_TUNNEL;
	bool udp = (o->gso_type & ~FRAME_GSO_TUNNEL) == FRAME_GSO_UDP_L4;
	size_t ip = 14, l4 = o->csum_start, hdr = l4 + 8, done;
	struct packet_view v;

	while (f[ip - 2] == 0x81 || f[ip - 2] == 0x88)
		ip += 4;
	if (!udp)
		hdr = l4 + (f[l4 + 12] >> 4) * 4u;
	done = hdr + (size_t)i * o->gso_size;
	must(n == hdr + size_min(o->gso_size, len - done));
	must(!memcmp(s + hdr, f + done, n - hdr));
	must(!memcmp(s, f, ip));
	if (f[ip] >> 4 == 4)
		must((uint16_t)(ether_be16(s + ip + 4) -
				ether_be16(f + ip + 4)) == i);
	if (!udp) {
		must(ether_be32(s + l4 + 4) ==
		     ether_be32(f + l4 + 4) + i * o->gso_size);
		must(!((s[l4 + 13] ^ f[l4 + 13]) & 0x76));
		if (done + o->gso_size < len)
			must(!(s[l4 + 13] & 9));
		if (i)
			must(!(s[l4 + 13] & 0x80));
	}
	if (tunnel) {
		see_inner(f, len, o, s, n);
		see_outer(f, len, ip, s, n, i);
	} else if (seed_is_right(f, len, ip, l4, udp)) {
		must(packet_read(s, n, &v));
	}
}

/* What an offload_csum() and a lone frame of a cut must look like. */
static void see_single(const uint8_t *f, size_t len,
		       const struct frame_offload *o, const uint8_t *s)
{
	struct frame_offload copy = *o;
	uint8_t *again = malloc(len);
	size_t at = (size_t)o->csum_start + o->csum_offset;
	uint32_t before, after;

	must(again);
	memcpy(again, f, len);
	copy.gso_type = FRAME_GSO_NONE;
	must(offload_csum(again, len, &copy));
	must(!memcmp(again, s, len) && offload_is_none(&copy));
	free(again);
	if (!(o->flags & FRAME_NEEDS_CSUM)) {
		must(!memcmp(f, s, len));
		return;
	}
	must(s[at] || s[at + 1]);
	must(!memcmp(f, s, at) &&
	     !memcmp(f + at + 2, s + at + 2, len - at - 2));
	/* What was in the field is what is missing now. The field itself may
	 * have been at an odd place. */
	before = (uint32_t)f[at] << 8 | f[at + 1];
	if (o->csum_offset & 1)
		before = (uint32_t)f[at + 1] << 8 | f[at];
	after = packet_sum(0, s + o->csum_start, len - o->csum_start);
	if (!(o->csum_offset & 1))
		must((after + before) % 0xffff == 0);
}

/* By parts into @to, which is large enough; every part is where it may be. */
static size_t gather(uint8_t *to, const struct iovec *iov, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		must(iov[i].iov_len || n == 1);
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

static void cut(const uint8_t *f, size_t len, const struct frame_offload *o,
		bool tagged)
{
	const uint8_t *tag = tagged ? tag_bytes : NULL;
	static uint8_t parts[PACKET_MAX + 4];
	struct iovec iov[OFFLOAD_IOV];
	uint8_t *hdr = malloc(OFFLOAD_HDR_MAX);
	struct offload_cut a, b;
	unsigned int n = offload_cut_start(&a, f, len, o, tag), i;
	ssize_t m;

	must(hdr && (n > 0) == offload_check(f, len, o));
	must(offload_cut_start(&b, f, len, o, tag) == n);
	for (i = 0; i < n; i++) {
		size_t k = offload_cut_len(&a);
		uint8_t *exact = malloc(k);

		must(k && exact);
		must(k == 1 || offload_cut_copy(&a, exact, k - 1) < 0);
		m = offload_cut_copy(&a, exact, k);
		must(m > 0 && (size_t)m == k);
		must(gather(parts, iov, offload_cut_next(&b, hdr, iov)) == k);
		must(!memcmp(parts, exact, k));
		free(exact);
		if (tagged) {
			must(!memcmp(parts + 12, tag, 4));
			k -= 4;
			memmove(parts + 12, parts + 16, k - 12);
		}
		if (n > 1 || o->gso_type & FRAME_GSO_TUNNEL)
			see_segment(f, len, o, parts, k, i);
		else
			see_single(f, len, o, parts);
	}
	must(!offload_cut_len(&a) && !offload_cut_next(&a, hdr, iov) &&
	     !offload_cut_copy(&b, segment, sizeof(segment)));
	free(hdr);
}

/* Nothing of the frame but a checksum that is now begun has changed. */
static void see_admitted(const uint8_t *f, const uint8_t *now, size_t len,
			 const struct frame_offload *was,
			 const struct frame_offload *o)
{
	size_t at = (size_t)o->csum_start + o->csum_offset;

	must(offload_check(now, len, o));
	must(offload_is_none(o) || !(o->gso_type & FRAME_GSO_TUNNEL) ||
	     !offload_fits(o, UINT32_MAX));
	if (was->flags & FRAME_NEEDS_CSUM || !(o->flags & FRAME_NEEDS_CSUM)) {
		must(!memcmp(f, now, len));
		return;
	}
	must(was->gso_type != FRAME_GSO_NONE && !memcmp(f, now, at) &&
	     !memcmp(f + at + 2, now + at + 2, len - at - 2));
}

static void one_frame(const uint8_t *f, size_t len, struct frame_offload *o,
		      bool tagged)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct frame_offload was = *o;

	must(exact);
	memcpy(exact, f, len);
	cut(exact, len, o, tagged);
	if (offload_admit(exact, len, o)) {
		see_admitted(f, exact, len, &was, o);
		cut(exact, len, o, !tagged);
	} else {
		must(!memcmp(&was, o, sizeof(was)) && !memcmp(f, exact, len));
	}
	free(exact);
}

/* A description of 12 bytes. */
static size_t describe(struct input *in, size_t max, uint8_t *f,
		       struct frame_offload *o)
{
	uint8_t kind = take(in), more = take(in);
	struct packet k = {
		.version = kind & 1 ? 6 : 4,
		.udp = kind & 2,
		.tags = kind >> 2 & 3,
		.options = (kind >> 4 & 3) * 8,
		.tcp_options = (more & 7) * 4,
		.df = more & 8,
		.ttl = 64,
		.tos = more >> 4,
		.flags = take(in),
		.port = take(in) & 3,
		.id = take(in),
		.seq = take16(in),
		.payload = take16(in),
		.fill = take(in),
		.gso_size = take16(in),
	};

	if (k.tags == 3)
		k.tags = 0;
	if (k.payload > max)
		k.payload %= max;
	return packet_make(&k, f, o);
}

/* Into a tunnel that a byte describes. Whole, it is admitted unless it has
 * too many segments. */
static size_t wrap(struct input *in, uint8_t *f, size_t len,
		   struct frame_offload *o)
{
	uint8_t what = take(in);
	struct packet_tunnel t = { .kind = (what & 15) % PACKET_TUNNELS,
				   .version = what & 16 ? 6 : 4,
				   .sum = what & 32,
				   .id = (uint16_t)(what << 8 | take(in)) };
	struct frame_offload copy;

	len = packet_wrap(&t, f, len, o);
	copy = *o;
	must(!o->gso_type || !offload_check(f, len, o));
	if (o->gso_type && o->gso_size != 0xffff && o->hdr_len < len &&
	    o->hdr_len <= OFFLOAD_HDR_MAX - ETHER_TAG_LEN &&
	    len < o->gso_size * 100u)
		must(offload_admit(f, len, &copy));
	return len;
}

static void spoil(struct input *in, uint8_t *f, size_t len)
{
	uint8_t n = take(in) % 4;

	for (; n && in->left; n--) {
		size_t at = take(in);

		if (at < len)
			f[at] ^= take(in);
	}
}

/* ---- batches ---- */

/* Where ports and addresses of a packet of TCP or UDP are, for the order of
 * flows; false for others. */
static bool flow_of(const struct gro_frame *f, struct packet_view *v)
{
	if (f->len < 60)
		return false;
	packet_read(f->data, f->len, v);
	if ((v->proto != 6 && v->proto != 17) || v->l4 + 20 > f->len)
		return false;
	return v->version == 6 ||
	       !((f->data[v->ip + 6] & 0x3f) | f->data[v->ip + 7]);
}

static bool one_flow(const struct gro_frame *a, const struct gro_frame *b)
{
	struct packet_view va, vb;
	size_t addrs;

	if (!flow_of(a, &va) || !flow_of(b, &vb) || va.proto != vb.proto ||
	    va.version != vb.version)
		return false;
	addrs = va.version == 4 ? 12 : 8;
	return !memcmp(a->data + va.ip + addrs, b->data + vb.ip + addrs,
		       va.version == 4 ? 8 : 32) &&
	       !memcmp(a->data + va.l4, b->data + vb.l4, 4);
}

/* @s was cut from a frame into which @f was merged. */
static void see_merged(const struct gro_frame *f, const uint8_t *s, size_t n)
{
	static uint8_t want[PACKET_MAX];
	struct packet_view v;
	size_t field;

	must(n == f->len && packet_read(s, n, &v));
	must(f->offload.flags || packet_read(f->data, n, &v));
	memcpy(want, f->data, n);
	packet_read(s, n, &v);
	if (f->offload.flags) { /* known to be right, not said to be there */
		field = v.l4 + (v.proto == 17 ? 6 : 16);
		memcpy(want + field, s + field, 2);
	}
	if (v.version == 4 && want[v.ip + 6] == 0x40) {
		memcpy(want + v.ip + 4, s + v.ip + 4, 2);
		memcpy(want + v.ip + 10, s + v.ip + 10, 2);
	}
	must(!memcmp(want, s, n));
}

static void see_run(const struct gro *g, const struct gro_run *r,
		    const struct gro_frame *batch, bool tagged)
{
	static uint8_t parts[PACKET_MAX + 4];
	const uint8_t *tag = tagged ? tag_bytes : NULL;
	size_t len = r->len + (tagged ? 4u : 0);
	uint8_t *whole = malloc(len), *hdr = malloc(OFFLOAD_HDR_MAX);
	struct iovec iov[GRO_IOV];
	struct frame_offload o;
	struct offload_cut c;
	unsigned int i = r->first;
	ssize_t m = -1;

	must(whole && hdr);
	if (gro_copy(g, r, tag, &o, whole, len) == (ssize_t)len) {
		must(gather(parts, iov, gro_iov(g, r, tag, &o, hdr, iov)) ==
		     len);
		must(!memcmp(parts, whole, len));
		must(r->count == 1 ||
		     offload_cut_start(&c, whole, len, &o, NULL) == r->count);
		while (r->count > 1 &&
		       (m = offload_cut_copy(&c, segment, sizeof(segment))) >
			       0) {
			if (tagged) {
				m -= 4;
				memmove(segment + 12, segment + 16,
					(size_t)m - 12);
			}
			must(i != GRO_END);
			see_merged(&batch[i], segment, (size_t)m);
			i = g->next[i];
		}
		must(r->count == 1 || (m == 0 && i == GRO_END));
		if (r->count == 1 && !tagged)
			must(!memcmp(whole, batch[i].data, len));
	} else {
		must(tagged && r->count == 1);
	}
	free(hdr);
	free(whole);
}

static void merge(const struct gro_frame *batch, unsigned int n, uint8_t caps,
		  uint16_t max_len)
{
	static struct gro g;
	unsigned int order[GRO_BATCH], k = 0, last = 0, runs;

	gro_init(&g, caps, max_len);
	runs = gro_merge(&g, batch, n);
	must(runs <= n);
	for (unsigned int r = 0; r < runs; r++) {
		unsigned int count = 0, before = 0;

		must(!r || g.runs[r].first > last);
		last = g.runs[r].first;
		for (unsigned int i = last; i != GRO_END; i = g.next[i]) {
			must(i < n && k < n && (!count || i > before));
			order[k++] = before = i;
			count++;
		}
		must(count == g.runs[r].count);
		must(count == 1 || g.runs[r].len <= max_len);
		must(count == 1 || offload_fits(&g.runs[r].offload, caps));
		see_run(&g, &g.runs[r], batch, r & 1);
	}
	must(k == n);
	for (unsigned int a = 0; a < n; a++) {
		for (unsigned int b = a + 1; b < n; b++)
			must(order[a] < order[b] ||
			     !one_flow(&batch[order[a]], &batch[order[b]]));
	}
}

/* Frames of lengths that are in front of them. */
static size_t as_it_comes(struct input *in, struct frame_offload *o)
{
	size_t len = size_min(take16(in) % 2048, in->left);

	*o = (struct frame_offload){ 0 };
	memcpy(made, in->p, len);
	in->p += len;
	in->left -= len;
	return len;
}

/* What a frame's sum is said to be. */
static void claim(struct input *in, uint8_t *f, size_t len,
		  struct frame_offload *o)
{
	uint8_t what = take(in);
	struct packet_view v;

	o->gso_type = FRAME_GSO_NONE;
	if (what < 200 || len < 60)
		return;
	packet_read(f, len, &v);
	o->flags = what & 3;
	o->csum_start = (uint16_t)v.l4;
	o->csum_offset = v.proto == 17 ? 6 : 16;
	if (!offload_check(f, len, o))
		*o = (struct frame_offload){ 0 };
	else if (o->flags & FRAME_NEEDS_CSUM && what & 4)
		packet_be16(f + v.l4 + o->csum_offset,
			    packet_pseudo(f + v.ip, v.proto, len - v.l4));
}

static void batches(struct input *in, bool described)
{
	struct gro_frame batch[GRO_BATCH];
	uint8_t caps = take(in);
	uint16_t max_len = take16(in);
	unsigned int n = 0;

	for (; n < GRO_BATCH && in->left; n++) {
		struct frame_offload o;
		size_t len = described ? describe(in, 3000, made, &o)
				       : as_it_comes(in, &o);
		uint8_t *exact;

		spoil(in, made, len);
		if (described && len < 4096)
			claim(in, made, len, &o);
		if (!offload_check(made, len, &o))
			o = (struct frame_offload){ 0 };
		exact = malloc(len ? len : 1);
		must(exact);
		memcpy(exact, made, len);
		batch[n] = (struct gro_frame){ exact, (uint32_t)len,
					       take(in) > 240, o };
	}
	merge(batch, n, caps, max_len);
	while (n--)
		free(unconst(batch[n].data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t mode = take(&in), vnet[OFFLOAD_VNET_LEN];
	struct frame_offload o;
	size_t len;

	switch (mode & 3) {
	case 0:
		for (size_t i = 0; i < sizeof(vnet); i++)
			vnet[i] = take(&in);
		if (mode & 4)
			memcpy(&o, vnet, sizeof(o));
		else
			offload_from_vnet(&o, vnet, true);
		one_frame(in.p, in.left, &o, mode & 8);
		break;
	case 1:
		len = describe(&in, 65000, made, &o);
		/* Too many segments are the only reason to refuse it. */
		if (o.gso_type && o.gso_size != 0xffff &&
		    len < o.gso_size * 100u)
			must(offload_check(made, len, &o));
		if (mode & 32)
			len = wrap(&in, made, len, &o);
		if (mode & 16)
			o.flags &= ~FRAME_NEEDS_CSUM;
		spoil(&in, made, len);
		one_frame(made, len, &o, mode & 8);
		break;
	default:
		batches(&in, mode & 1);
	}
	return 0;
}
