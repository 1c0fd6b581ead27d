// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * reflect - send every frame back to where it came from, many at a time
 *
 *	cc -o reflect reflect.c -lvdeplug
 *	./reflect /tmp/sw.ctl
 *
 * Shows the batches of vde_recv_batch(3). Frames that are still to be cut, or
 * whose checksum is only begun, go back as they came: what is to be done with
 * them stands beside the frame, and nothing else needs to know.
 */
#include <errno.h>
#include <libvdeplug_batch.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TAKES \
	(VDE_TAKES_CSUM | VDE_TAKES_TSO4 | VDE_TAKES_TSO6 | VDE_TAKES_TSO_ECN)

static unsigned char room[VDE_BATCH_MAX][VDE_FRAME_MAX];

/* Back to its sender, from us. */
static void turn(unsigned char *frame)
{
	static const unsigned char us[] = { 2, 0, 0, 0, 'r', 'e' };

	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, us, 6);
}

/* Waits for the network, or for its end: -1. */
static int wait_for(VDECONN *c, int fd, short events)
{
	struct pollfd p[] = { { fd, events, 0 }, { vde_ctlfd(c), POLLIN, 0 } };

	return poll(p, 2, -1) < 0 || p[1].revents ? -1 : 0;
}

static int send_all(VDECONN *c, const struct vde_frame *f, int n)
{
	short events;
	int fd = vde_sendfd(c, &events);

	while (n) {
		int sent = vde_send_batch(c, f, n);

		if (sent == -EAGAIN) {
			if (wait_for(c, fd, events) < 0)
				return -1;
			continue;
		}
		/* What cannot be sent is lost, as on a wire. */
		n -= sent > 0 ? sent : 1;
		f += sent > 0 ? sent : 1;
	}
	return 0;
}

static int run(VDECONN *c, unsigned long *frames, unsigned long *bytes)
{
	struct vde_frame f[VDE_BATCH_MAX];

	for (;;) {
		int n, kept = 0;

		for (int i = 0; i < VDE_BATCH_MAX; i++) {
			f[i].data = room[i];
			f[i].len = sizeof(room[i]);
		}
		n = vde_recv_batch(c, f, VDE_BATCH_MAX);
		if (n == -EAGAIN) {
			if (wait_for(c, vde_datafd(c), POLLIN) < 0)
				return 0;
			continue;
		}
		if (n <= 0)
			return n;
		for (int i = 0; i < n; i++) {
			if (f[i].len < 14)
				continue;
			turn(f[i].data);
			*bytes += f[i].len;
			f[kept++] = f[i];
		}
		*frames += (unsigned long)kept;
		if (send_all(c, f, kept) < 0)
			return 0;
	}
}

int main(int argc, char **argv)
{
	char descr[] = "reflect";
	unsigned long frames = 0, bytes = 0;
	VDECONN *c;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: reflect LOCATOR\n");
		return 2;
	}
	c = vde_open_batch(argv[1], descr, NULL, TAKES);
	if (!c) {
		fprintf(stderr, "reflect: unable to open %s: ", argv[1]);
		perror("");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	rc = run(c, &frames, &bytes);
	if (rc < 0)
		fprintf(stderr, "reflect: unable to receive: %s\n",
			strerror(-rc));
	printf("%lu frames, %lu bytes\n", frames, bytes);
	vde_close(c);
	return rc < 0;
}
