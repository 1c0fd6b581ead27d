// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/offload.h"

#include <errno.h>
#include <string.h>

#include "base/csum.h"
#include "base/tunnel.h"

#define FLAGS (FRAME_NEEDS_CSUM | FRAME_DATA_VALID)
#define GSO_BY_FRAGS 0xffff /* a gso_size that Linux keeps for itself */
#define SUM_LEN 2
#define TAG_AT FRAME_ADDRS
/* What is copied and read of a frame; a tag may come to it. */
#define PREFIX (OFFLOAD_HDR_MAX - ETHER_TAG_LEN)

static_assert(sizeof(struct frame_offload) == OFFLOAD_VNET_LEN &&
		      offsetof(struct frame_offload, hdr_len) == 2 &&
		      offsetof(struct frame_offload, csum_offset) == 8,
	      "struct virtio_net_hdr in the byte order of this machine");

/* ---- metadata ---- */

struct kind {
	uint8_t type; /* FRAME_GSO_* */
	uint8_t cap;
	uint8_t version; /* of IP; 0: either */
	uint8_t proto;
	uint16_t csum_offset;
	uint16_t max_segs;
};

/* NULL for what nobody here knows. */
static const struct kind *kind_of(uint8_t gso_type)
{
	static const struct kind kinds[] = {
		{ FRAME_GSO_TCPV4, OFFLOAD_TSO4, 4, INET_TCP, TCP_CSUM,
		  OFFLOAD_TCP_SEGS },
		{ FRAME_GSO_TCPV6, OFFLOAD_TSO6, 6, INET_TCP, TCP_CSUM,
		  OFFLOAD_TCP_SEGS },
		{ FRAME_GSO_UDP_L4, OFFLOAD_USO, 0, INET_UDP, UDP_CSUM,
		  OFFLOAD_UDP_SEGS },
	};

	if (gso_type == (FRAME_GSO_UDP_L4 | FRAME_GSO_ECN))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type == (gso_type & ~FRAME_GSO_ECN))
			return &kinds[i];
	}
	return NULL;
}

static uint16_t swap_le(uint16_t v)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap16(v)
						      : v;
}

static void swap_fields(struct frame_offload *o)
{
	o->hdr_len = swap_le(o->hdr_len);
	o->gso_size = swap_le(o->gso_size);
	o->csum_start = swap_le(o->csum_start);
	o->csum_offset = swap_le(o->csum_offset);
}

void offload_from_vnet(struct frame_offload *o,
		       const uint8_t hdr[static OFFLOAD_VNET_LEN], bool le)
{
	memcpy(o, hdr, sizeof(*o));
	if (le)
		swap_fields(o);
	o->flags &= FLAGS;
	if (!(o->flags & FRAME_NEEDS_CSUM))
		o->csum_start = o->csum_offset = 0;
	if (o->gso_type == FRAME_GSO_NONE)
		o->gso_size = o->hdr_len = 0;
}

void offload_to_vnet(uint8_t hdr[static OFFLOAD_VNET_LEN],
		     const struct frame_offload *o, bool le)
{
	struct frame_offload v = *o;

	if (le)
		swap_fields(&v);
	memcpy(hdr, &v, sizeof(v));
}

bool offload_fits(const struct frame_offload *o, unsigned int caps)
{
	unsigned int need = o->flags & FRAME_NEEDS_CSUM ? OFFLOAD_CSUM : 0;
	const struct kind *kind;

	if (o->gso_type != FRAME_GSO_NONE) {
		kind = kind_of(o->gso_type);
		if (!kind)
			return false;
		need |= OFFLOAD_CSUM | kind->cap;
		if (o->gso_type & FRAME_GSO_ECN)
			need |= OFFLOAD_ECN;
	}
	return (caps & need) == need;
}

static bool shifted(uint16_t *v, int bytes)
{
	int to = *v + bytes;

	if (to < ETHER_HDR_LEN || to > UINT16_MAX)
		return false;
	*v = (uint16_t)to;
	return true;
}

bool offload_shift(struct frame_offload *o, int bytes)
{
	struct frame_offload to = *o;

	if (to.flags & FRAME_NEEDS_CSUM && !shifted(&to.csum_start, bytes))
		return false;
	if (to.hdr_len && !shifted(&to.hdr_len, bytes))
		return false;
	*o = to;
	return true;
}

/* ---- what is to be done ---- */

/* The field lies behind everything that is looked at to switch a frame, or
 * to let it pass; Linux demands as much in front of it even if there is no
 * IP. */
static bool csum_is_sane(const struct inet *in, size_t len,
			 const struct frame_offload *o)
{
	size_t from = in->l3 + (size_t)INET4_HDR_LEN;

	if (in->version == 4)
		from = in->l4;
	else if (in->version == 6)
		from = in->l3 + (size_t)INET6_HDR_LEN;
	return o->csum_start >= from &&
	       (size_t)o->csum_start + o->csum_offset + SUM_LEN <= len;
}

/* The sum of the pseudo-header, for the checksum field. Of UDP it has the
 * length that is in the header. */
static uint16_t begun_csum(const struct inet *in, const uint8_t *frame,
			   size_t len)
{
	const uint8_t *addrs = frame + in->l3 + INET6_ADDRS;
	uint16_t l4_len = csum_num((uint16_t)(len - in->l4));
	size_t n = 32;

	if (in->version == 4) {
		addrs = frame + in->l3 + INET4_ADDRS;
		n = 8;
	}
	if (in->proto == INET_UDP)
		l4_len = csum_get(frame + in->l4 + UDP_LEN);
	return csum_fold(csum_sum(addrs, n) + csum_num(in->proto) +
			 (uint64_t)l4_len);
}

/* Segments of a frame that is to be cut; 0: refused. */
static unsigned int count_segs(const struct inet *in, size_t len,
			       const struct frame_offload *o)
{
	const struct kind *kind = kind_of(o->gso_type & ~FRAME_GSO_TUNNEL);
	size_t room = INET_MAX_LEN + (in->version == 6 ? INET6_HDR_LEN : 0);
	size_t segs;

	if (!kind || !in->payload || in->proto != kind->proto ||
	    (kind->version && in->version != kind->version))
		return 0;
	if (!(o->flags & FRAME_NEEDS_CSUM) || o->csum_start != in->l4 ||
	    o->csum_offset != kind->csum_offset)
		return 0;
	if (!o->gso_size || o->gso_size == GSO_BY_FRAGS || len - in->l3 > room)
		return 0;
	len -= in->payload;
	segs = len ? (len + o->gso_size - 1) / o->gso_size : 1;
	return segs <= kind->max_segs ? (unsigned int)segs : 0;
}

/* Where the headers are. */
struct headers {
	struct inet in; /* of what is to be cut, in a tunnel the inner ones */
	struct inet outer; /* of the tunnel */
};

/* As count_segs(), in a tunnel. That what was found is no accident is seen by
 * the checksum, too: it is begun. */
static unsigned int enter_tunnel(struct headers *h, const uint8_t *frame,
				 size_t have, size_t len,
				 const struct frame_offload *o)
{
	unsigned int n;

	h->outer = h->in;
	if (!tunnel_enter(&h->in, &h->outer, frame, have, len, o->csum_start))
		return 0;
	n = count_segs(&h->in, len, o);
	if (!n || len == h->in.payload ||
	    (begun_csum(&h->in, frame, len) -
	     csum_get(frame + o->csum_start + o->csum_offset)) %
			    0xffff !=
		    0)
		return 0;
	return n;
}

/* How many frames it makes, from the first @have bytes; 0: refused. */
static unsigned int plan(struct headers *h, const uint8_t *frame, size_t have,
			 size_t len, const struct frame_offload *o)
{
	if (len < ETHER_HDR_LEN || o->hdr_len > len || o->flags & ~FLAGS)
		return 0;
	if (offload_is_none(o))
		return 1;
	if (!inet_parse(&h->in, frame, have) || !csum_is_sane(&h->in, len, o))
		return 0;
	if (o->gso_type == FRAME_GSO_NONE)
		return 1;
	if (o->gso_type & FRAME_GSO_TUNNEL)
		return enter_tunnel(h, frame, have, len, o);
	return count_segs(&h->in, len, o);
}

bool offload_check(const uint8_t *frame, size_t len,
		   const struct frame_offload *o)
{
	struct headers h;

	return plan(&h, frame, size_min(len, PREFIX), len, o) > 0;
}

/* The place of a checksum that nobody told. An IPv6 header that is not alone
 * need not have the address that the sum is over. */
static bool find_csum(const uint8_t *frame, size_t len, struct frame_offload *o)
{
	const struct kind *kind = kind_of(o->gso_type);
	struct inet in;

	if (!kind || !inet_parse(&in, frame, size_min(len, PREFIX)) ||
	    !in.payload || (in.version == 6 && in.options))
		return false;
	o->flags |= FRAME_NEEDS_CSUM;
	o->csum_start = in.l4;
	o->csum_offset = kind->csum_offset;
	return true;
}

bool offload_admit(uint8_t *frame, size_t len, struct frame_offload *o)
{
	struct frame_offload to = *o;
	size_t have = size_min(len, PREFIX);
	struct headers h;
	unsigned int n;
	bool cut = to.gso_type != FRAME_GSO_NONE;
	bool begin = cut && !(to.flags & FRAME_NEEDS_CSUM);

	if (to.gso_type & FRAME_GSO_TUNNEL ||
	    (begin && !find_csum(frame, len, &to)))
		return false;
	n = plan(&h, frame, have, len, &to);
	if (!n && cut && !begin) {
		to.gso_type |= FRAME_GSO_TUNNEL;
		n = plan(&h, frame, have, len, &to);
	}
	if (!n)
		return false;
	if (begin)
		csum_put(frame + to.csum_start + to.csum_offset,
			 begun_csum(&h.in, frame, len));
	if (to.flags & FRAME_NEEDS_CSUM)
		to.flags = FRAME_NEEDS_CSUM;
	else
		to.csum_start = to.csum_offset = 0;
	/* The tunnel's own checksum is completed by a cut only. */
	if (n > 1 || to.gso_type & FRAME_GSO_TUNNEL) {
		to.hdr_len = h.in.payload;
	} else {
		to.gso_type = FRAME_GSO_NONE;
		to.hdr_len = to.gso_size = 0;
	}
	*o = to;
	return true;
}

/* ---- a checksum alone ---- */

/* As skb_checksum_help() does it: never 0, whatever the protocol. */
static uint16_t whole_csum(const uint8_t *frame, size_t len,
			   const struct frame_offload *o)
{
	uint16_t sum = csum_finish(
		csum_sum(frame + o->csum_start, len - o->csum_start));

	return sum ? sum : 0xffff;
}

bool offload_csum(uint8_t *frame, size_t len, struct frame_offload *o)
{
	if (o->gso_type != FRAME_GSO_NONE || !offload_check(frame, len, o))
		return false;
	if (o->flags & FRAME_NEEDS_CSUM)
		csum_put(frame + o->csum_start + o->csum_offset,
			 whole_csum(frame, len, o));
	*o = (struct frame_offload){ 0 };
	return true;
}

/* One frame: as much as must be ours in c->hdr, the rest as it is. */
static void start_single(struct offload_cut *c, const uint8_t *frame,
			 size_t len, const struct frame_offload *o,
			 size_t tag_len)
{
	size_t own = tag_len ? TAG_AT : 0; /* of the frame's bytes */

	if (o->flags & FRAME_NEEDS_CSUM) {
		size_t at = (size_t)o->csum_start + o->csum_offset;
		uint8_t *field = c->hdr + at + tag_len;

		if (at + SUM_LEN <= PREFIX) {
			own = at + SUM_LEN;
		} else {
			c->sum_at = at - own;
			field = c->hdr + own + tag_len;
		}
		csum_put(field, whole_csum(frame, len, o));
	}
	c->hdr_len = (uint16_t)(own ? own + tag_len : 0);
	c->rest = frame + own;
	c->left = len - own;
}

/* ---- segments ---- */

static void put_be32(uint8_t *p, uint32_t v)
{
	csum_put(p, csum_num((uint16_t)(v >> 16)));
	csum_put(p + 2, csum_num((uint16_t)v));
}

static void start_ip(struct offload_cut *c, struct offload_ip *to,
		     const struct inet *in, size_t tag_len)
{
	uint8_t *ip;

	to->version = in->version;
	to->l3 = (uint16_t)(in->l3 + tag_len);
	to->l4 = (uint16_t)(in->l4 + tag_len);
	if (to->version == 6)
		return;
	ip = c->hdr + to->l3;
	to->id = ether_be16(ip + INET4_ID);
	csum_put(ip + INET4_LEN, 0);
	csum_put(ip + INET4_ID, 0);
	csum_put(ip + INET4_CSUM, 0);
	to->base = csum_sum(ip, (size_t)(to->l4 - to->l3));
}

/* What is between the two IP headers of a tunnel. Its UDP may do without a
 * checksum; otherwise that is begun like that of the packet inside. */
static void start_tunnel(struct offload_cut *c, const struct inet *outer,
			 size_t tag_len)
{
	uint8_t *p;
	uint16_t sum;

	start_ip(c, &c->outer, outer, tag_len);
	c->outer_udp = outer->proto == INET_UDP;
	c->outer_base = 0;
	if (!c->outer_udp)
		return;
	p = c->hdr + c->outer.l4;
	sum = csum_get(p + UDP_CSUM);
	if (sum)
		c->outer_base = sum +
				(uint64_t)(uint16_t)~csum_get(p + UDP_LEN);
	csum_put(p + UDP_CSUM, 0);
}

/* The checksum field of the frame is the sum of the pseudo-header with the
 * length of the whole; from now on it is that without a length. */
static void start_transport(struct offload_cut *c)
{
	uint8_t *p = c->hdr + c->ip.l4;
	uint16_t sum, len;

	if (c->proto == INET_TCP) {
		sum = csum_get(p + TCP_CSUM);
		len = csum_num((uint16_t)(c->hdr_len - c->ip.l4 + c->left));
		c->seq = ether_be32(p + TCP_SEQ);
		c->flags = p[TCP_FLAGS];
		memset(p + TCP_SEQ, 0, 4);
		p[TCP_FLAGS] = 0;
		csum_put(p + TCP_CSUM, 0);
	} else {
		/* The length that the sender has summed, right or wrong. */
		sum = csum_get(p + UDP_CSUM);
		len = csum_get(p + UDP_LEN);
		csum_put(p + UDP_LEN, 0);
		csum_put(p + UDP_CSUM, 0);
	}
	c->base = csum_sum(p, (size_t)(c->hdr_len - c->ip.l4)) + sum +
		  (uint16_t)~len;
}

/* Of an IP packet of @n bytes. */
static void finish_ip(struct offload_ip *c, uint8_t *ip, size_t n)
{
	uint16_t len = csum_num((uint16_t)n), id;

	if (c->version == 6) {
		csum_put(ip + INET6_LEN,
			 csum_num((uint16_t)(n - INET6_HDR_LEN)));
		return;
	}
	id = csum_num(c->id++);
	csum_put(ip + INET4_LEN, len);
	csum_put(ip + INET4_ID, id);
	csum_put(ip + INET4_CSUM, csum_finish(c->base + len + id));
}

static void finish_tcp(struct offload_cut *c, uint8_t *p, uint64_t sum,
		       bool last)
{
	uint8_t flags = c->flags & (last ? 0xff : ~(TCPF_FIN | TCPF_PSH));

	put_be32(p + TCP_SEQ, c->seq);
	p[TCP_FLAGS] = flags;
	sum += csum_num((uint16_t)(c->seq >> 16)) +
	       (uint64_t)csum_num((uint16_t)c->seq) + csum_num(flags);
	csum_put(p + TCP_CSUM, csum_finish(sum));
	c->seq += (uint32_t)c->size;
	c->flags &= ~TCPF_CWR; /* it is told once */
}

static void finish_udp(uint8_t *p, uint64_t sum, uint16_t len)
{
	csum_put(p + UDP_LEN, len);
	sum = csum_finish(sum + len);
	csum_put(p + UDP_CSUM, sum ? (uint16_t)sum : 0xffff);
}

/* When all that is inside of the tunnel is done. @sum: of the payload. */
static void finish_tunnel(struct offload_cut *c, uint8_t *hdr, size_t n,
			  uint64_t sum)
{
	size_t own = (size_t)(c->hdr_len - c->outer.l4);
	uint8_t *p = hdr + c->outer.l4;
	uint16_t len = csum_num((uint16_t)(own + n));

	finish_ip(&c->outer, hdr + c->outer.l3, c->hdr_len - c->outer.l3 + n);
	if (!c->outer_udp)
		return;
	csum_put(p + UDP_LEN, len);
	if (!c->outer_base)
		return;
	sum = csum_finish(c->outer_base + len + csum_sum(p, own) + sum);
	csum_put(p + UDP_CSUM, sum ? (uint16_t)sum : 0xffff);
}

/* The headers of a segment with @n bytes of payload. */
static void write_headers(struct offload_cut *c, uint8_t *hdr, size_t n)
{
	uint16_t len = csum_num((uint16_t)(c->hdr_len - c->ip.l4 + n));
	uint64_t payload = csum_sum(c->rest, n), sum = c->base + len + payload;

	memcpy(hdr, c->hdr, c->hdr_len);
	finish_ip(&c->ip, hdr + c->ip.l3, c->hdr_len - c->ip.l3 + n);
	if (c->proto == INET_TCP)
		finish_tcp(c, hdr + c->ip.l4, sum, c->frames == 1);
	else
		finish_udp(hdr + c->ip.l4, sum, len);
	if (c->outer.version)
		finish_tunnel(c, hdr, n, payload);
}

static void start_segments(struct offload_cut *c, const struct headers *h,
			   const struct frame_offload *o, size_t tag_len)
{
	c->size = o->gso_size;
	c->proto = h->in.proto;
	c->hdr_len = (uint16_t)(h->in.payload + tag_len);
	start_ip(c, &c->ip, &h->in, tag_len);
	start_transport(c);
	c->outer.version = 0;
	if (o->gso_type & FRAME_GSO_TUNNEL)
		start_tunnel(c, &h->outer, tag_len);
}

unsigned int offload_cut_start(struct offload_cut *c, const uint8_t *frame,
			       size_t len, const struct frame_offload *o,
			       const uint8_t *tag)
{
	size_t tag_len = tag ? ETHER_TAG_LEN : 0, have = size_min(len, PREFIX);
	struct headers h;
	unsigned int n;

	/* Looked at is only the copy, which stays as it is. */
	memcpy(c->hdr, frame, have);
	c->frames = 0;
	n = plan(&h, c->hdr, have, len, o);
	if (!n)
		return 0;
	if (tag) {
		memmove(c->hdr + TAG_AT + tag_len, c->hdr + TAG_AT,
			have - TAG_AT);
		memcpy(c->hdr + TAG_AT, tag, tag_len);
	}
	c->frames = (uint16_t)n;
	c->size = 0;
	c->sum_at = 0;
	if (n == 1 && !(o->gso_type & FRAME_GSO_TUNNEL)) {
		start_single(c, frame, len, o, tag_len);
		return n;
	}
	c->rest = frame + h.in.payload;
	c->left = len - h.in.payload;
	start_segments(c, &h, o, tag_len);
	return n;
}

size_t offload_cut_len(const struct offload_cut *c)
{
	if (!c->frames)
		return 0;
	return c->hdr_len + (c->size ? size_min(c->size, c->left) : c->left);
}

int offload_cut_next(struct offload_cut *c, uint8_t hdr[static OFFLOAD_HDR_MAX],
		     struct iovec iov[static OFFLOAD_IOV])
{
	size_t n = c->left;
	int k = 0;

	if (!c->frames)
		return 0;
	if (c->size) {
		n = size_min(c->size, n);
		write_headers(c, hdr, n);
	} else {
		memcpy(hdr, c->hdr, c->hdr_len + (c->sum_at ? SUM_LEN : 0u));
	}
	c->frames--;
	if (c->hdr_len)
		iov[k++] = (struct iovec){ hdr, c->hdr_len };
	if (c->sum_at) {
		iov[k++] = (struct iovec){ unconst(c->rest), c->sum_at };
		iov[k++] = (struct iovec){ hdr + c->hdr_len, SUM_LEN };
		c->rest += c->sum_at + SUM_LEN;
		n = c->left -= c->sum_at + SUM_LEN;
	}
	if (n)
		iov[k++] = (struct iovec){ unconst(c->rest), n };
	c->rest += n;
	c->left -= n;
	return k;
}

ssize_t offload_cut_copy(struct offload_cut *c, uint8_t *buf, size_t size)
{
	uint8_t hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[OFFLOAD_IOV];
	size_t len = offload_cut_len(c);
	int k;

	if (len > size)
		return -EMSGSIZE;
	k = offload_cut_next(c, hdr, iov);
	for (int i = 0; i < k; i++) {
		memcpy(buf, iov[i].iov_base, iov[i].iov_len);
		buf += iov[i].iov_len;
	}
	return (ssize_t)len;
}
