// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * udp - the round trip of a datagram between two hosts that know nothing of
 * VDE, so that any kind of switch may be between them. --tx is the address of
 * the echo; one that is lost counts as LOST_MS, as in pingpong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cli.h"
#include "load.h"

#define UDP_PORT 5002
#define HEADERS 42 /* Ethernet, IPv4, UDP */
#define LOST_MS 100
#define SAMPLES_MAX (1u << 20)

static struct sockaddr_in echo_addr(const char *host)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(UDP_PORT) };

	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		cli_usage("--tx must be an IPv4 address");
	return sin;
}

static int udp_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("unable to open a socket: %s", strerror(errno));
	return fd;
}

void udp_echo_mode(const struct load_options *o)
{
	struct sockaddr_in me = echo_addr(o->tx), from;
	uint8_t buf[LOAD_FRAME_MAX];
	int fd = udp_socket();

	if (bind(fd, (struct sockaddr *)&me, sizeof(me)))
		die("unable to bind to %s: %s", o->tx, strerror(errno));
	printf("{\"ready\": 1}\n");
	fflush(stdout);
	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0,
				     (struct sockaddr *)&from, &len);

		if (n >= 0)
			(void)!sendto(fd, buf, (size_t)n, 0,
				      (struct sockaddr *)&from, len);
	}
}

/* Late answers of earlier trips are skipped. */
static uint64_t round_trip(int fd, uint64_t serial, size_t len)
{
	uint64_t start = load_now(), got = 0;
	uint8_t buf[LOAD_FRAME_MAX] = { 0 };
	struct pollfd p = { fd, POLLIN, 0 };

	memcpy(buf, &serial, sizeof(serial));
	(void)!send(fd, buf, len, 0);
	while (got != serial && poll(&p, 1, LOST_MS) > 0)
		if (recv(fd, buf, sizeof(buf), 0) >= (ssize_t)sizeof(got))
			memcpy(&got, buf, sizeof(got));
	return load_now() - start;
}

void udp_mode(const struct load_options *o)
{
	struct sockaddr_in to = echo_addr(o->tx);
	uint32_t *rtt = malloc(SAMPLES_MAX * sizeof(*rtt));
	size_t n = 0, len = (size_t)o->len - HEADERS;
	uint64_t begin, end, serial = 0;
	int fd = udp_socket();

	if (!rtt || len < sizeof(serial) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("unable to send to %s: %s", o->tx, strerror(errno));
	begin = load_now() + (uint64_t)o->warmup_ms * LOAD_MS;
	while (load_now() < begin)
		round_trip(fd, ++serial, len);
	end = begin + (uint64_t)o->ms * LOAD_MS;
	while (n < SAMPLES_MAX && load_now() < end)
		rtt[n++] = (uint32_t)round_trip(fd, ++serial, len);
	load_print_trips(rtt, n, 0);
	free(rtt);
	close(fd);
}
