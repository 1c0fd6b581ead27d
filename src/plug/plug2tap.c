// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vde_plug2tap - a tap interface in a network
 *
 * The tap is a connection of libvdeplug like the one to the switch. Both stay
 * when the interface is moved to another network namespace.
 */
#include <net/if.h>
#include <string.h>

#include "base/strbuf.h"
#include "common/cli.h"
#include "plug/ifplug.h"

static void check_name(const char *tap)
{
	if (!*tap || strlen(tap) >= IFNAMSIZ || strpbrk(tap, "/: \t"))
		cli_usage("invalid interface name '%s'", tap);
}

static int open_tap(void *ctx, struct session *s, const char *name,
		    struct end **out)
{
	char locator[sizeof("tap://") + IFNAMSIZ];
	const struct vde_args args = { .locator = locator, .descr = "" };
	int rc = str_fmt(locator, sizeof(locator), "tap://%s", name);

	return rc < 0 ? rc : session_open_vde(s, &args, out);
}

int main(int argc, char **argv)
{
	static const struct ifplug tap = {
		.synopsis = "[OPTION]... TAP",
		.about = "Join the tap interface TAP to a network. It is made "
			 "if it does not exist.",
		.descr = "vde_plug2tap:",
		.missing = "the name of a tap interface is missing",
		.check = check_name,
		.open = open_tap,
	};

	return ifplug_main(&tap, argc, argv);
}
