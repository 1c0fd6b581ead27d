// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * connect - how fast connections are made
 *
 * Opens and closes for the given time; with --ports it opens
 * that many, keeps them and counts these instead. --raw speaks the control
 * protocol itself, without files of its own (the data socket has an abstract
 * name) and with several requests under way at once, so that what remains is
 * the switch's share.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/wire.h"
#include "common/cli.h"
#include "load.h"

#define AT_ONCE 8

struct raw {
	int ctl, data;
};

/* The name fills the address: VDE 2 takes an abstract name with its padding,
 * ours without it, so there is none. */
static void bind_abstract(int fd, struct sockaddr_un *sa)
{
	static unsigned int serial;
	char text[64];
	int n = str_fmt(text, sizeof(text), "vdeload-%d-%u-", (int)getpid(),
			serial++);

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memset(sa->sun_path + 1, 'x', sizeof(sa->sun_path) - 1);
	memcpy(sa->sun_path + 1, text, (size_t)n);
	if (bind(fd, (struct sockaddr *)sa, sizeof(*sa)))
		die("unable to bind: %s", strerror(errno));
}

static struct raw raw_ask(const char *ctl)
{
	struct raw r = { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
			 socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	uint8_t msg[WIRE_REQ_MAX];
	size_t len;

	if (r.ctl < 0 || r.data < 0)
		die("unable to open a socket: %s", strerror(errno));
	if (str_copy(sa.sun_path, sizeof(sa.sun_path), ctl) < 0 ||
	    connect(r.ctl, (struct sockaddr *)&sa, sizeof(sa)))
		die("unable to connect to %s: %s", ctl, strerror(errno));
	bind_abstract(r.data, &sa);
	len = wire_build_request(msg, WIRE_REQ_NEW_CONTROL, 0, &sa, "vdeload");
	if (send(r.ctl, msg, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("unable to ask %s: %s", ctl, strerror(errno));
	return r;
}

static void raw_finish(const struct raw *r)
{
	struct sockaddr_un sa;

	if (recv(r->ctl, &sa, sizeof(sa), MSG_WAITALL) != sizeof(sa) ||
	    connect(r->data, (struct sockaddr *)&sa, sizeof(sa)))
		die("unable to get a port: refused");
}

static void raw_close(const struct raw *r)
{
	close(r->ctl);
	close(r->data);
}

/* Opens @n at once; they stay open unless @churn. */
static void raw_round(const char *ctl, size_t n, bool churn)
{
	struct raw r[AT_ONCE];

	for (size_t i = 0; i < n; i++)
		r[i] = raw_ask(ctl);
	for (size_t i = 0; i < n; i++)
		raw_finish(&r[i]);
	for (size_t i = 0; churn && i < n; i++)
		raw_close(&r[i]);
}

static void library_round(const char *locator, bool churn)
{
	VDECONN *c = load_open(locator);

	if (churn)
		vde_close(c);
}

void connect_mode(const struct load_options *o)
{
	bool churn = o->ports == 1;
	uint64_t start = load_now(), end = start + (uint64_t)o->ms * LOAD_MS;
	uint64_t cpu = load_cpu((pid_t)o->pid), n = 0;
	char ctl[sizeof(((struct sockaddr_un *)0)->sun_path)];
	double secs;

	if (str_fmt(ctl, sizeof(ctl), "%s/ctl", o->tx) < 0)
		die("unable to use %s: the path is too long", o->tx);
	while (churn ? load_now() < end : n < (uint64_t)o->ports) {
		size_t k = o->raw ? AT_ONCE : 1;

		if (!churn)
			k = size_min(k, (size_t)o->ports - n);
		if (o->raw)
			raw_round(ctl, k, churn);
		else
			library_round(o->tx, churn);
		n += k;
	}
	secs = (double)(load_now() - start) / (double)LOAD_SEC;
	cpu = load_cpu((pid_t)o->pid) - cpu;
	printf("{\"per_s\": %.1f, \"cpu_us_each\": %.1f}\n", (double)n / secs,
	       (double)cpu / 1e3 / (double)n);
}
