// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/end.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

static const char *const drop_names[] = {
	[END_DROP_EMPTY] = "empty",	   [END_DROP_SHORT] = "too short",
	[END_DROP_LONG] = "too long",	   [END_DROP_REFUSED] = "refused",
	[END_DROP_LOST] = "no connection",
};
static_assert(ARRAY_SIZE(drop_names) == END_N_DROPS, "a drop has no name");

bool end_init(struct end *e, const struct end_ops *ops, struct loop *loop,
	      const char *name)
{
	*e = (struct end){ .ops = ops,
			   .loop = loop,
			   .name = strdup(name),
			   .min_len = END_FRAME_MIN };
	return e->name;
}

void end_fini(struct end *e)
{
	free(e->name);
}

void end_finish(struct end *e)
{
	for (int i = 0; i < END_N_DROPS; i++)
		if (e->drops[i])
			log_notice("%" PRIu64 " frames were dropped at %s: %s",
				   e->drops[i], e->name, drop_names[i]);
	e->ops->close(e);
}
