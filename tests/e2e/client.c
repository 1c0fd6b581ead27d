// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * client - a program that uses libvdeplug, driven by lines on stdin
 *
 * 20-library.sh builds it with the library's public header and links it to
 * the library under test. Each line is answered by one line:
 *
 *	open NAME LOCATOR [port=N] [group=G] [mode=M]     ~ is a blank
 *	send NAME LENGTH MARK        a broadcast frame, MARK in its payload
 *	recv NAME                    waits up to 3 s: "LENGTH MARK" or nothing
 *	ctl NAME                     none, silent or gone
 *	gone NAME                    the same, but waits up to 3 s
 *	close NAME
 */
#include <errno.h>
#include <libvdeplug.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_CONNS 8
#define N_WORDS 8
#define PATIENCE_MS 3000

static struct {
	char name[16];
	VDECONN *c;
} conns[N_CONNS];

static int find(const char *name)
{
	for (int i = 0; i < N_CONNS; i++)
		if (!strcmp(conns[i].name, name))
			return i;
	return -1;
}

static const char *error_name(void)
{
	const char *s = strerrorname_np(errno);

	return s ? s : "?";
}

static void do_open(char **word, int n)
{
	struct vde_open_args args = { 0, NULL, 0 };
	char descr[] = "client";
	int slot = find("");

	for (char *p = word[2]; (p = strchr(p, '~'));)
		*p = ' ';
	for (int i = 3; i < n; i++) {
		char *value = strchr(word[i], '=') + 1;

		if (*word[i] == 'p')
			args.port = (int)strtol(value, NULL, 10);
		else if (*word[i] == 'g')
			args.group = value;
		else
			args.mode = (mode_t)strtol(value, NULL, 8);
	}
	conns[slot].c = vde_open(word[2], descr, n > 3 ? &args : NULL);
	if (!conns[slot].c) {
		printf("open %s: %s\n", word[1], error_name());
		return;
	}
	snprintf(conns[slot].name, sizeof(conns[slot].name), "%s", word[1]);
	printf("open %s: done\n", word[1]);
}

static void do_send(VDECONN *c, char **word)
{
	size_t len = strtoul(word[2], NULL, 10);
	unsigned char frame[VDE_ETHBUFSIZE];

	memset(frame, 0xff, 6);
	memset(frame + 6, 2, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	memset(frame + 14, *word[3], sizeof(frame) - 14);
	if (vde_send(c, frame, len, 0) == (ssize_t)len)
		printf("send %s: done\n", word[1]);
	else
		printf("send %s: %s\n", word[1], error_name());
}

static void do_recv(VDECONN *c, char **word)
{
	struct pollfd pfd = { vde_datafd(c), POLLIN, 0 };
	unsigned char frame[VDE_ETHBUFSIZE];
	ssize_t n = 1;

	while (n == 1 && poll(&pfd, 1, PATIENCE_MS) > 0)
		n = vde_recv(c, frame, sizeof(frame), 0);
	if (n > 14)
		printf("recv %s: %zd %c\n", word[1], n, frame[14]);
	else
		printf("recv %s: nothing\n", word[1]);
}

static void do_ctl(VDECONN *c, char **word)
{
	struct pollfd pfd = { vde_ctlfd(c), POLLIN, 0 };
	char byte;

	if (pfd.fd < 0)
		printf("ctl %s: none\n", word[1]);
	else if (poll(&pfd, 1, strcmp(word[0], "ctl") ? PATIENCE_MS : 0) == 0)
		printf("ctl %s: silent\n", word[1]);
	else
		printf("ctl %s: %s\n", word[1],
		       read(pfd.fd, &byte, 1) > 0 ? "speaks" : "gone");
}

static void run_line(char *line)
{
	char *word[N_WORDS + 1] = { NULL };
	int n = 0, i;

	while (n < N_WORDS && (word[n] = strsep(&line, " ")))
		n++;
	if (!strcmp(word[0], "open")) {
		do_open(word, n);
		return;
	}
	i = n > 1 ? find(word[1]) : -1;
	if (i < 0) {
		printf("%s: no such connection\n", word[0]);
	} else if (!strcmp(word[0], "send")) {
		do_send(conns[i].c, word);
	} else if (!strcmp(word[0], "recv")) {
		do_recv(conns[i].c, word);
	} else if (!strcmp(word[0], "close")) {
		printf("close %s: %d\n", word[1], vde_close(conns[i].c));
		conns[i].name[0] = '\0';
	} else {
		do_ctl(conns[i].c, word);
	}
}

int main(void)
{
	static char line[1000];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			run_line(line);
		fflush(stdout);
	}
	return 0;
}
