// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A run is open while it is in the table: at most one for each flow, the
 * latest. Checksums are looked at only when a second segment wants to join:
 * traffic that does not merge costs one look at its headers.
 *
 * The table's hash has no secret: a batch is so short that a bucket of all
 * its flows is bearable.
 */
#include "base/gro.h"

#include <errno.h>
#include <string.h>

#include "base/csum.h"
#include "base/inet.h"

#define TCP_MERGEABLE (TCPF_PSH | TCPF_ACK | TCPF_ECE | TCPF_CWR)

/* What is known of a frame that came. */
struct seg {
	struct inet in;
	uint8_t flags; /* of TCP; of UDP 0 */
	bool merges; /* it may start or join a run */
	size_t payload;
	uint32_t seq;
	uint16_t id;
	uint8_t *bucket;
};

enum flow {
	FLOW_NONE, /* not TCP or UDP */
	FLOW_ANY, /* nobody can tell */
	FLOW_ONE
};

void gro_init(struct gro *g, unsigned int caps, size_t max_len)
{
	g->caps = caps;
	g->max_len = (uint32_t)size_min(max_len, UINT32_MAX);
	g->in = NULL;
	g->n_runs = 0;
}

/* ---- what a frame is ---- */

static uint8_t *bucket_of(struct gro *g, const uint8_t *addrs, size_t len,
			  const uint8_t *ports)
{
	uint32_t h, w;

	memcpy(&h, ports, sizeof(h));
	for (size_t i = 0; i < len; i += sizeof(w)) {
		memcpy(&w, addrs + i, sizeof(w));
		h = (h ^ w) * UINT32_C(0x9e3779b1);
		h ^= h >> 15;
	}
	return &g->heads[h % GRO_BUCKETS];
}

static const uint8_t *addrs_of(const uint8_t *frame, uint8_t version, size_t l3)
{
	return frame + l3 + (version == 4 ? INET4_ADDRS : INET6_ADDRS);
}

static size_t addrs_len(uint8_t version)
{
	return version == 4 ? 8 : 32;
}

/* Lengths agree to the byte, and nothing is there that a cut would change.
 * There is room for one more tag that who cuts it (inet.h) can still read. */
static bool ip_merges(const struct gro_frame *f, const struct seg *s)
{
	const uint8_t *ip = f->data + s->in.l3;
	size_t len = f->len - s->in.l3;

	if (s->in.options || s->in.l3 > ETHER_HDR_LEN + ETHER_TAG_LEN)
		return false;
	if (s->in.version == 6)
		return ether_be16(ip + INET6_LEN) + (size_t)INET6_HDR_LEN ==
		       len;
	return ether_be16(ip + INET4_LEN) == len &&
	       !(ether_be16(ip + INET4_FRAG) & ~INET4_DF) &&
	       csum_get(ip + INET4_CSUM) != 0xffff &&
	       csum_fold(csum_sum(ip, INET4_HDR_LEN)) == 0xffff;
}

static uint16_t csum_field(uint8_t proto)
{
	return proto == INET_TCP ? TCP_CSUM : UDP_CSUM;
}

static bool tcp_merges(const struct gro *g, const struct seg *s)
{
	unsigned int need = OFFLOAD_CSUM;

	need |= s->in.version == 4 ? OFFLOAD_TSO4 : OFFLOAD_TSO6;
	if (s->flags & TCPF_CWR)
		need |= OFFLOAD_ECN;
	return (g->caps & need) == need && s->flags & TCPF_ACK &&
	       !(s->flags & ~TCP_MERGEABLE);
}

static bool merges(const struct gro *g, const struct gro_frame *f,
		   const struct seg *s)
{
	const uint8_t *p = f->data + s->in.l4;
	uint16_t sum = csum_get(p + csum_field(s->in.proto));

	if (f->offload.gso_type != FRAME_GSO_NONE || !s->payload ||
	    !ip_merges(f, s))
		return false;
	if (s->in.proto == INET_TCP
		    ? !tcp_merges(g, s)
		    : ether_be16(p + UDP_LEN) != f->len - s->in.l4)
		return false;
	if (f->offload.flags & FRAME_NEEDS_CSUM)
		return f->offload.csum_start == s->in.l4 &&
		       f->offload.csum_offset == csum_field(s->in.proto);
	/* A cut writes this value in one way only; for UDP 0 means none. */
	return sum != (s->in.proto == INET_TCP ? 0xffff : 0);
}

static enum flow look(struct gro *g, const struct gro_frame *f, struct seg *s)
{
	const uint8_t *p;

	if (!inet_parse(&s->in, f->data, size_min(f->len, OFFLOAD_HDR_MAX)))
		return FLOW_ANY;
	if (!s->in.version)
		return FLOW_NONE;
	if (s->in.fragment || !s->in.l4)
		return FLOW_ANY;
	if (s->in.proto == INET_UDP) {
		if (~g->caps & (OFFLOAD_USO | OFFLOAD_CSUM))
			return FLOW_NONE;
	} else if (s->in.proto != INET_TCP) {
		return FLOW_NONE;
	}
	if (!s->in.payload)
		return FLOW_ANY;
	p = f->data + s->in.l4;
	s->bucket = bucket_of(g, addrs_of(f->data, s->in.version, s->in.l3),
			      addrs_len(s->in.version), p);
	s->payload = f->len - s->in.payload;
	s->flags = 0;
	s->seq = 0;
	if (s->in.proto == INET_TCP) {
		s->flags = p[TCP_FLAGS];
		s->seq = ether_be32(p + TCP_SEQ);
	}
	s->id = ether_be16(f->data + s->in.l3 + INET4_ID);
	s->merges = merges(g, f, s);
	return FLOW_ONE;
}

/* ---- checksums ---- */

static uint64_t pseudo_sum(const uint8_t *frame, uint8_t version, size_t l3,
			   uint8_t proto, size_t len)
{
	return csum_sum(addrs_of(frame, version, l3), addrs_len(version)) +
	       csum_num(proto) + csum_num((uint16_t)len);
}

static bool sum_is_right(const struct gro_frame *f, const struct gro_run *r)
{
	const uint8_t *p = f->data + r->l4;
	size_t len = f->len - r->l4;
	uint8_t flags = f->offload.flags;
	uint64_t sum;

	if ((flags & (FRAME_DATA_VALID | FRAME_NEEDS_CSUM)) == FRAME_DATA_VALID)
		return true;
	sum = pseudo_sum(f->data, r->version, r->l3, r->proto, len);
	if (flags & FRAME_NEEDS_CSUM) /* the field holds just that */
		sum += (uint16_t)~csum_get(p + csum_field(r->proto));
	else
		sum += csum_sum(p, len);
	return csum_fold(sum) == 0xffff;
}

/* ---- runs ---- */

static bool same_flow(const struct gro *g, const struct gro_run *r,
		      const struct gro_frame *f, const struct seg *s)
{
	const uint8_t *a = g->in[r->first].data;

	return r->version == s->in.version && r->proto == s->in.proto &&
	       !memcmp(addrs_of(a, r->version, r->l3),
		       addrs_of(f->data, r->version, s->in.l3),
		       addrs_len(r->version)) &&
	       !memcmp(a + r->l4, f->data + s->in.l4, 4);
}

static bool same_l3(const struct gro_run *r, const uint8_t *a, const uint8_t *b)
{
	if (memcmp(a, b, r->l3) != 0)
		return false;
	a += r->l3;
	b += r->l3;
	if (r->version == 6) /* but for the length */
		return !memcmp(a, b, INET6_LEN) &&
		       !memcmp(a + INET6_LEN + 2, b + INET6_LEN + 2,
			       INET6_ADDRS - INET6_LEN - 2);
	return !memcmp(a, b, INET4_LEN) &&
	       !memcmp(a + INET4_FRAG, b + INET4_FRAG, INET4_CSUM - INET4_FRAG);
}

/* All but ports, sequence number, checksum, PSH, and CWR of the first. */
static bool same_tcp(const struct gro_run *r, const uint8_t *a,
		     const uint8_t *b, uint8_t flags)
{
	if ((r->flags ^ flags) & ~(TCPF_PSH | TCPF_CWR) || flags & TCPF_CWR)
		return false;
	a += r->l4;
	b += r->l4;
	return !memcmp(a + TCP_ACK, b + TCP_ACK, TCP_FLAGS - TCP_ACK) &&
	       !memcmp(a + TCP_WINDOW, b + TCP_WINDOW, TCP_CSUM - TCP_WINDOW) &&
	       !memcmp(a + TCP_URGENT, b + TCP_URGENT,
		       (size_t)(r->hdr_len - r->l4 - TCP_URGENT));
}

static bool fits(const struct gro *g, const struct gro_run *r, size_t more)
{
	size_t room = INET_MAX_LEN + (r->version == 6 ? INET6_HDR_LEN : 0);

	return more <= r->size && r->len + more <= g->max_len &&
	       r->len + more - r->l3 <= room;
}

/* @f is of the run's flow; does it continue it? */
static bool joins(const struct gro *g, struct gro_run *r,
		  const struct gro_frame *f, struct seg *s)
{
	const struct gro_frame *first = &g->in[r->first];
	const uint8_t *ip = f->data + s->in.l3;

	if (!s->merges || first->mark != f->mark || r->l3 != s->in.l3 ||
	    r->l4 != s->in.l4 || r->hdr_len != s->in.payload ||
	    !fits(g, r, s->payload) || !same_l3(r, first->data, f->data))
		return false;
	if (r->version == 4 && r->id != s->id &&
	    !(ether_be16(ip + INET4_FRAG) & INET4_DF))
		return false;
	if (r->proto == INET_TCP &&
	    (r->seq != s->seq || !same_tcp(r, first->data, f->data, s->flags)))
		return false;
	if (!r->verified && !sum_is_right(first, r))
		return false;
	r->verified = true;
	s->merges = sum_is_right(f, r);
	return s->merges;
}

static struct frame_offload merged(const struct gro_run *r)
{
	uint8_t type = FRAME_GSO_UDP_L4;

	if (r->proto == INET_TCP)
		type = r->version == 4 ? FRAME_GSO_TCPV4 : FRAME_GSO_TCPV6;
	if (r->flags & TCPF_CWR)
		type |= FRAME_GSO_ECN;
	return (struct frame_offload){
		.flags = FRAME_NEEDS_CSUM,
		.gso_type = type,
		.hdr_len = r->hdr_len,
		.gso_size = r->size,
		.csum_start = r->l4,
		.csum_offset = csum_field(r->proto),
	};
}

/* A new run of one frame, which is as it was. */
static struct gro_run *add_run(struct gro *g, unsigned int i)
{
	struct gro_run *r = &g->runs[g->n_runs++];

	r->first = r->last = (uint8_t)i;
	r->count = 1;
	r->len = g->in[i].len;
	r->offload = g->in[i].offload;
	return r;
}

/* Others may join it. */
static void open_run(struct gro *g, struct gro_run *r, const struct seg *s)
{
	r->verified = r->pushed = false;
	r->version = s->in.version;
	r->proto = s->in.proto;
	r->flags = s->flags;
	r->l3 = s->in.l3;
	r->l4 = s->in.l4;
	r->hdr_len = s->in.payload;
	r->size = (uint16_t)s->payload;
	r->id = s->id + 1;
	r->seq = s->seq + (uint32_t)s->payload;
	r->chain = *s->bucket;
	*s->bucket = (uint8_t)(r - g->runs);
}

/* Returns whether the run may go on. */
static bool append(struct gro *g, struct gro_run *r, unsigned int i,
		   const struct seg *s)
{
	g->next[r->last] = (uint8_t)i;
	r->last = (uint8_t)i;
	r->count++;
	r->len += (uint32_t)s->payload;
	r->offload = merged(r);
	r->id = s->id + 1;
	r->seq = s->seq + (uint32_t)s->payload;
	r->pushed = s->flags & TCPF_PSH;
	return s->payload == r->size && !r->pushed;
}

static void take(struct gro *g, unsigned int i)
{
	const struct gro_frame *f = &g->in[i];
	struct gro_run *r = NULL;
	struct seg s;
	uint8_t *link;
	enum flow flow = look(g, f, &s);

	if (flow == FLOW_ANY)
		memset(g->heads, GRO_END, sizeof(g->heads));
	if (flow != FLOW_ONE) {
		add_run(g, i);
		return;
	}
	for (link = s.bucket; *link != GRO_END; link = &r->chain) {
		r = &g->runs[*link];
		if (same_flow(g, r, f, &s))
			break;
	}
	if (*link != GRO_END) {
		bool joined = joins(g, r, f, &s);

		if (joined && append(g, r, i, &s))
			return;
		*link = r->chain;
		if (joined)
			return;
	}
	r = add_run(g, i);
	if (s.merges && !(s.flags & TCPF_PSH))
		open_run(g, r, &s);
}

unsigned int gro_merge(struct gro *g, const struct gro_frame *in,
		       unsigned int n)
{
	assert(n <= GRO_BATCH);
	g->in = in;
	g->n_runs = 0;
	memset(g->heads, GRO_END, sizeof(g->heads));
	memset(g->next, GRO_END, sizeof(g->next));
	for (unsigned int i = 0; i < n; i++)
		take(g, i);
	return g->n_runs;
}

/* ---- the frames that leave ---- */

/* The first frame's headers, of the whole. */
static void write_headers(const struct gro *g, const struct gro_run *r,
			  uint8_t *hdr)
{
	size_t len = r->len - r->l4;
	uint8_t *ip = hdr + r->l3, *p = hdr + r->l4;
	uint64_t sum;

	memcpy(hdr, g->in[r->first].data, r->hdr_len);
	sum = pseudo_sum(hdr, r->version, r->l3, r->proto, len);
	if (r->version == 6) {
		csum_put(ip + INET6_LEN, csum_num((uint16_t)len));
	} else {
		csum_put(ip + INET4_LEN, csum_num((uint16_t)(r->len - r->l3)));
		csum_put(ip + INET4_CSUM, 0);
		csum_put(ip + INET4_CSUM,
			 csum_finish(csum_sum(ip, INET4_HDR_LEN)));
	}
	if (r->proto == INET_UDP)
		csum_put(p + UDP_LEN, csum_num((uint16_t)len));
	else if (r->pushed)
		p[TCP_FLAGS] |= TCPF_PSH;
	csum_put(p + r->offload.csum_offset, csum_fold(sum));
}

int gro_iov(const struct gro *g, const struct gro_run *r, const uint8_t *tag,
	    struct frame_offload *o, uint8_t hdr[static OFFLOAD_HDR_MAX],
	    struct iovec iov[static GRO_IOV])
{
	size_t own = r->count > 1 ? r->hdr_len : tag ? FRAME_ADDRS : 0;
	const struct gro_frame *f = &g->in[r->first];
	int k = 0;

	*o = r->offload;
	if (tag && (f->len < ETHER_HDR_LEN || !offload_shift(o, ETHER_TAG_LEN)))
		return 0;
	if (r->count > 1)
		write_headers(g, r, hdr);
	else
		memcpy(hdr, f->data, own);
	if (own)
		iov[k++] = (struct iovec){ hdr, own };
	if (tag) {
		memmove(hdr + FRAME_ADDRS + ETHER_TAG_LEN, hdr + FRAME_ADDRS,
			own - FRAME_ADDRS);
		memcpy(hdr + FRAME_ADDRS, tag, ETHER_TAG_LEN);
		iov[0].iov_len += ETHER_TAG_LEN;
	}
	for (unsigned int i = r->first; i != GRO_END; i = g->next[i]) {
		f = &g->in[i];
		iov[k++] = (struct iovec){ unconst(f->data + own),
					   f->len - own };
	}
	return k;
}

ssize_t gro_copy(const struct gro *g, const struct gro_run *r,
		 const uint8_t *tag, struct frame_offload *o, uint8_t *buf,
		 size_t size)
{
	uint8_t hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[GRO_IOV];
	size_t len = r->len + (tag ? ETHER_TAG_LEN : 0);
	int k;

	if (len > size)
		return -EMSGSIZE;
	k = gro_iov(g, r, tag, o, hdr, iov);
	for (int i = 0; i < k; i++) {
		memcpy(buf, iov[i].iov_base, iov[i].iov_len);
		buf += iov[i].iov_len;
	}
	return k ? (ssize_t)len : -EMSGSIZE;
}
