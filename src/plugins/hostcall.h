/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostcall - what all these plugins ask of the switch in the same way
 */
#ifndef PLUGINS_HOSTCALL_H
#define PLUGINS_HOSTCALL_H

#include <string.h>
#include <syslog.h>

#include "base/strbuf.h"
#include "switch/vde_plugin.h"

/* The number that is a command's first argument. */
static inline int64_t host_arg(const struct vde_plugin_host *h,
			       struct vde_plugin_req *q)
{
	int64_t v = 0;

	h->arg_num(q, 0, &v);
	return v;
}

/* Warns: unable to @verb @path@then, because of @rc, a -errno. */
static inline void host_warn(const struct vde_plugin_host *h,
			     struct vde_plugin_ctx *ctx, const char *verb,
			     const char *path, const char *then, int rc)
{
	char text[256];

	if (str_fmt(text, sizeof(text), "unable to %s %.160s%s: %s", verb, path,
		    then, strerror(-rc)) > 0)
		h->log(ctx, LOG_WARNING, text);
}

#endif
