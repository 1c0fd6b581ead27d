// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hub - repeat every frame to all others: the whole of libvdeplug in a page
 *
 *	cc -o hub hub.c -lvdeplug
 *	./hub /tmp/a.ctl /tmp/b.ctl 'cmd://ssh far vde_plug'
 *
 * Joins the networks that its arguments name (vde_locators(7)) until one of
 * them goes away. With one argument it counts what it hears.
 */
#include <libvdeplug.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PORTS 16

static VDECONN *port[MAX_PORTS];
static unsigned long frames[MAX_PORTS];
static int n_ports;

/* One frame from port @from to all the others. -1: that network has gone. */
static int repeat(int from)
{
	unsigned char frame[VDE_ETHBUFSIZE];
	ssize_t len = vde_recv(port[from], frame, sizeof(frame), 0);

	/* 1 would be an event without a frame; what is shorter than a header
	 * is none either. */
	if (len <= 0)
		return -1;
	if (len < 14)
		return 0;
	frames[from]++;
	for (int to = 0; to < n_ports; to++)
		if (to != from)
			vde_send(port[to], frame, (size_t)len, 0);
	return 0;
}

static int run(void)
{
	struct pollfd pfd[2 * MAX_PORTS];

	for (int i = 0; i < n_ports; i++) {
		pfd[i] = (struct pollfd){ vde_datafd(port[i]), POLLIN, 0 };
		/* poll() skips a negative descriptor. */
		pfd[n_ports + i] = (struct pollfd){ vde_ctlfd(port[i]), POLLIN,
						    0 };
	}
	while (poll(pfd, 2 * (nfds_t)n_ports, -1) > 0)
		for (int i = 0; i < n_ports; i++) {
			if (pfd[n_ports + i].revents)
				return i;
			if (pfd[i].revents && repeat(i) < 0)
				return i;
		}
	return -1;
}

int main(int argc, char **argv)
{
	char descr[] = "hub";
	int gone;

	if (argc < 2 || argc > 1 + MAX_PORTS) {
		fprintf(stderr, "usage: hub LOCATOR ...\n");
		return 2;
	}
	for (; n_ports < argc - 1; n_ports++) {
		char *locator = argv[n_ports + 1];

		port[n_ports] = vde_open(locator, descr, NULL);
		if (!port[n_ports]) {
			fprintf(stderr, "hub: unable to open %s: ", locator);
			perror("");
			return 1;
		}
	}
	printf("ready\n");
	fflush(stdout);
	gone = run();
	for (int i = 0; i < n_ports; i++) {
		printf("%s: %lu frames%s\n", argv[i + 1], frames[i],
		       i == gone ? ", has gone" : "");
		vde_close(port[i]);
	}
	return 0;
}
