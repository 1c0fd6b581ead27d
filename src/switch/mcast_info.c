// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "base/bits.h"
#include "switch/mcast_impl.h"

static const char *const counts[] = {
	[MCAST_QUERIES] = "queries",	 [MCAST_REPORTS] = "reports",
	[MCAST_LEAVES] = "leaves",	 [MCAST_ROUTERS] = "routers",
	[MCAST_UNKNOWN] = "unknown",	 [MCAST_BAD] = "bad",
	[MCAST_DISPLACED] = "displaced", [MCAST_REFUSED] = "refused",
	[MCAST_SENT] = "sent",
};
static_assert(ARRAY_SIZE(counts) == MCAST_N_COUNTS, "a count has no name");

const char *mcast_count_name(enum mcast_count c)
{
	return counts[c];
}

void mcast_get_info(const struct mcast *m, struct mcast_info *info)
{
	*info = (struct mcast_info){ .on = m->on,
				     .flood_unknown = m->flood_unknown,
				     .interval_s = m->interval_s,
				     .members = m->n_members };
	for (int c = 0; c < MCAST_N_COUNTS; c++) {
		info->counts[c] = m->counts[c];
		for (size_t i = 0; i < m->words * 64; i++)
			if (m->ports[i])
				info->counts[c] += m->ports[i]->counts[c];
	}
}

int mcast_vlan_next(const struct mcast *m, unsigned int from)
{
	for (; from < ARRAY_SIZE(m->vlans); from++)
		if (m->vlans[from])
			return (int)from;
	return -1;
}

static void get_state(const struct family *f, struct mcast_state *s)
{
	*s = (struct mcast_state){ .on = f->on,
				   .known = f->known,
				   .querier = f->querier,
				   .querier_port = f->querier_port,
				   .version = f->version,
				   .querier_until = f->gone.at,
				   .own = f->own,
				   .interval = f->interval,
				   .max_resp = f->max_resp,
				   .robustness = f->robustness,
				   .unasked = f->unasked,
				   .groups = f->n_groups };
}

int mcast_get_vlan(const struct mcast *m, unsigned int vid,
		   struct mcast_vlan_info *info)
{
	const struct mvlan *v = vid <= VLAN_MAX ? m->vlans[vid] : NULL;

	if (!v)
		return -ENXIO;
	info->on = !v->off;
	info->querier = v->querier;
	info->source4 = (struct mcast_addr){ 0, v->source4 };
	info->routers = v->fixed;
	get_state(&v->family[0], &info->state[0]);
	get_state(&v->family[1], &info->state[1]);
	return 0;
}

struct shower {
	bool (*show)(void *ctx, const struct mcast_entry *);
	void *ctx;
	size_t from, at;
};

static bool show_group(const struct group *g, struct shower *s)
{
	list_for_each(it, &g->members) {
		const struct member *b = list_entry(it, struct member,
						    in_group);
		const struct mcast_entry e = { .v6 = g->family->v6,
					       .router = is_router(b),
					       .group = g->addr,
					       .port = b->port,
					       .version = b->version,
					       .until = b->until };

		if (s->at >= s->from && !s->show(s->ctx, &e))
			return false;
		s->at++;
	}
	return true;
}

size_t mcast_show(const struct mcast *m, unsigned int vid, bool routers,
		  size_t from,
		  bool (*show)(void *ctx, const struct mcast_entry *),
		  void *ctx)
{
	const struct mvlan *v = vid <= VLAN_MAX ? m->vlans[vid] : NULL;
	struct shower s = { show, ctx, from, 0 };

	for (int i = 0; v && i < 2; i++) {
		if (routers && !show_group(&v->family[i].routers, &s))
			return s.at;
		if (routers)
			continue;
		list_for_each(it, &v->family[i].groups) {
			if (!show_group(list_entry(it, struct group, node), &s))
				return s.at;
		}
	}
	return s.at;
}

void mcast_get_port(const struct mcast *m, unsigned int port,
		    struct mcast_port_info *info)
{
	const struct mport *p = port < m->words * 64 ? m->ports[port] : NULL;

	*info = (struct mcast_port_info){ .members = p ? p->n : 0 };
	if (!p)
		return;
	info->fastleave = p->fastleave;
	for (int c = 0; c < MCAST_N_COUNTS; c++)
		info->counts[c] = p->counts[c];
}
