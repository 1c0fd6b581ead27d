// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which frames a capture wants, and what is said of each. This runs for every
 * frame of the ports that it sees.
 */
#include "switch/capture_impl.h"

#define BROADCAST UINT64_C(0xffffffffffff)

/* The VLAN it is in, or -1: none. A hub looks at no tags, somebody who asks
 * for a VLAN does. */
static int vlan_of(const struct hook_frame *hf)
{
	const struct frame *f = hf->frame;

	if (hf->port->br->hub) {
		const uint8_t *type = f->data + FRAME_ADDRS;

		if (f->len < FRAME_ADDRS + ETHER_TAG_LEN ||
		    ether_be16(type) != ETHERTYPE_VLAN)
			return 0;
		return ether_be16(type + 2) & VLAN_VID_MASK;
	}
	if (hf->point != HOOK_DROP || hf->tagged || frame_vid(f))
		return frame_vid(f);
	return hf->port->pvid == VLAN_NONE ? -1 : hf->port->pvid;
}

/* The wire form of what may be too short to have one. */
static int wire_iov(const struct hook_frame *hf,
		    struct iovec iov[static FRAME_IOV])
{
	const struct frame *f = hf->frame;

	return frame_iov(f, hf->tagged && f->len >= FRAME_ADDRS, iov);
}

static bool passes_filter(struct capture *c, const struct iovec *iov, int n)
{
	uint8_t *to = c->all->wire;
	size_t len = 0;

	if (n == 1)
		return filter_matches(c->filter, iov->iov_base, iov->iov_len,
				      iov->iov_len);
	for (int i = 0; i < n; i++) {
		if (iov[i].iov_len > CAPTURE_WIRE_MAX - len)
			return false;
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return filter_matches(c->filter, to, len, len);
}

static bool is_outbound(const struct hook_frame *hf)
{
	return hf->point == HOOK_OUT ||
	       (hf->point == HOOK_DROP && !drop_reason_is_ingress(hf->reason));
}

static bool wants(const struct capture *c, const struct hook_frame *hf)
{
	const struct capspec *cs = &c->info.spec;

	if (c->info.state != CAPTURE_RUNNING || c->enough || !hf->frame)
		return false;
	if (cs->direction == CAPTURE_IN && is_outbound(hf))
		return false;
	if (cs->direction == CAPTURE_OUT && !is_outbound(hf))
		return false;
	return cs->vlan < 0 || vlan_of(hf) == cs->vlan;
}

static uint32_t flags_of(const struct hook_frame *hf)
{
	const struct frame *f = hf->frame;
	const struct frame_offload *o = &f->offload;
	uint32_t flags = is_outbound(hf) ? PCAPNG_OUTBOUND : PCAPNG_INBOUND;

	if (f->len >= ETHER_ADDR_LEN) {
		uint64_t dst = ether_addr(f->data);

		if (dst == BROADCAST)
			flags |= PCAPNG_BROADCAST;
		else if (ether_is_multicast(dst))
			flags |= PCAPNG_MULTICAST;
		else
			flags |= PCAPNG_UNICAST;
	}
	if (o->flags & FRAME_NEEDS_CSUM)
		flags |= PCAPNG_NO_CSUM;
	else if (o->flags & FRAME_DATA_VALID)
		flags |= PCAPNG_CSUM_VALID;
	if (o->gso_type != FRAME_GSO_NONE)
		flags |= PCAPNG_TSO;
	return flags;
}

static void put(struct capture *c, const struct hook_frame *hf,
		struct pcapng_packet *pkt)
{
	struct capture_info *info = &c->info;
	bool fits = capwriter_put(&c->out, hf->port, pkt);

	if (!fits) {
		capture_write(c);
		fits = capwriter_put(&c->out, hf->port, pkt);
	}
	if (!fits) {
		capwriter_lose(&c->out, hf->port);
		info->lost++;
		return;
	}
	info->packets++;
	c->enough = info->packets == info->spec.count;
}

static bool sees(struct frame_hook *h, const struct port *p)
{
	const struct capture *c = container_of(h, struct capture, hook);

	return c->info.spec.port < 0 || c->info.spec.port == p->id;
}

static bool take(struct frame_hook *h, const struct hook_frame *hf)
{
	struct capture *c = container_of(h, struct capture, hook);
	struct pcapng_packet pkt = { 0 };
	struct iovec iov[FRAME_IOV];
	int n;

	if (!wants(c, hf))
		return true;
	n = wire_iov(hf, iov);
	if (c->filter && !passes_filter(c, iov, n))
		return true;
	for (int i = 0; i < n; i++)
		pkt.wire_len += (uint32_t)iov[i].iov_len;
	pkt.len = pkt.wire_len < c->info.spec.snaplen ? pkt.wire_len
						      : c->info.spec.snaplen;
	pkt.iov = iov;
	pkt.flags = flags_of(hf);
	pkt.time_ns = capture_time(c->all);
	if (hf->point == HOOK_DROP) {
		pkt.comment = c->all->comments[hf->reason];
		pkt.verdict = drop_reason_name(hf->reason);
	}
	put(c, hf, &pkt);
	return true;
}

static const unsigned int points[] = {
	[CAPTURE_BOTH] = 1u << HOOK_IN | 1u << HOOK_OUT | 1u << HOOK_DROP,
	[CAPTURE_IN] = 1u << HOOK_IN | 1u << HOOK_DROP,
	[CAPTURE_OUT] = 1u << HOOK_OUT | 1u << HOOK_DROP,
	[CAPTURE_DROP] = 1u << HOOK_DROP,
};
static_assert(ARRAY_SIZE(points) == CAPTURE_N_DIRECTIONS,
	      "a direction has no points");

void capture_take_init(struct capture *c)
{
	c->hook.points = points[c->info.spec.direction];
	c->hook.rank = HOOK_WATCH;
	c->hook.sees = sees;
	c->hook.fn = take;
}
