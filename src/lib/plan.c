// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lib/plan.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "base/wire.h"
#include "lib/locator.h"

#define GROUP_ENTRY_SIZE 262144 /* a group with all its members */

int plan_parse_target(struct target *t, char *address)
{
	const struct locator_option options[] = {
		{ "", &t->word },
		{ "port", &t->word },
		{ "portgroup", &t->word },
		{ "group", &t->group },
		{ "mode", &t->mode },
		{ "transport", &t->transport },
		{ NULL, NULL },
	};
	int rc = locator_parse_path(address, options);

	t->path = address;
	t->brackets = rc > 0;
	return rc;
}

void plan_overlay(struct target *t, const struct target *over)
{
	if (over->word)
		t->word = over->word;
	if (over->group)
		t->group = over->group;
	if (over->mode)
		t->mode = over->mode;
	if (over->transport)
		t->transport = over->transport;
}

int conn_group(const char *name, gid_t *gid)
{
	struct group gr, *found = NULL;
	int64_t number;
	char *buf = malloc(GROUP_ENTRY_SIZE);

	if (!buf)
		return -ENOMEM;
	if (getgrnam_r(name, &gr, buf, GROUP_ENTRY_SIZE, &found) == 0 && found)
		*gid = found->gr_gid;
	free(buf);
	if (found)
		return 0;
	if (!parse_num(name, 0, UINT32_MAX - 1, &number))
		return -EINVAL;
	*gid = (gid_t)number;
	return 0;
}

static int plan_port(struct plan *p, const struct target *t, int port)
{
	int64_t n = port;

	if (t->word && *t->word) {
		if (strchr(t->word, '/'))
			return -EINVAL;
		if (!parse_num(t->word, INT32_MIN, INT32_MAX, &n)) {
			p->socket_name = t->word;
			return 0;
		}
		if (!n)
			n = -1;
	}
	if (n > UINT32_MAX >> 8)
		return -EINVAL;
	if (n < 0) {
		p->type = WIRE_REQ_NEW_PORT0;
	} else if (n > 0) {
		p->port = (uint32_t)n;
		str_fmt(p->number, sizeof(p->number), "%u", p->port);
		p->socket_name = p->number;
	}
	return 0;
}

/* The locator's word wins over the environment's. */
static int plan_transport(struct plan *p, const char *transport)
{
	bool any;

	if (!transport)
		transport = getenv("VDE_TRANSPORT");
	if (!transport || !*transport)
		transport = "auto";
	any = strcmp(transport, "auto") == 0;
	p->ring = any || strcmp(transport, "ring") == 0;
	p->dgram = any || strcmp(transport, "dgram") == 0;
	return p->ring || p->dgram ? 0 : -EINVAL;
}

int plan_make(struct plan *p, const struct target *t,
	      const struct conn_args *args)
{
	const char *group = t->group ? t->group : args->group;
	unsigned int mode;
	int rc;

	*p = (struct plan){ .mode = args->mode,
			    .descr = args->descr,
			    .caps = args->takes };
	rc = plan_port(p, t, args->port);
	if (rc == 0)
		rc = plan_transport(p, t->transport);
	if (rc < 0)
		return rc;
	if (group && *group) {
		rc = conn_group(group, &p->gid);
		if (rc < 0)
			return rc;
		p->has_group = true;
	}
	if (t->mode && *t->mode) {
		if (!parse_mode(t->mode, &mode))
			return -EINVAL;
		p->mode = mode;
	}
	return 0;
}
