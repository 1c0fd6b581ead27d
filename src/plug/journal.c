// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/journal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>
#include <unistd.h>

#include "base/strbuf.h"

#define NAME "vde_plug"
#define PRIORITY (LOG_USER | LOG_INFO)
#define PER_SECOND 20 /* addresses; a peer can invent any number */

/* The word comes from the environment: nothing but printable characters. */
static void copy_word(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from[n] && from[n] != ' ' && n < size - 1; n++) {
		to[n] = '?';
		if (from[n] > ' ' && from[n] < 0x7f)
			to[n] = from[n];
	}
	to[n] = '\0';
}

int journal_open(struct journal *j, bool on, bool ip)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *from = getenv("SSH_CLIENT");
	uint64_t secret = 0;

	*j = (struct journal){ .on = on, .ip = ip };
	if (!on)
		return 0;
	openlog(NAME, LOG_PID, LOG_USER);
	if (pw)
		copy_word(j->user, sizeof(j->user), pw->pw_name);
	else
		str_fmt(j->user, sizeof(j->user), "%u", getuid());
	copy_word(j->from, sizeof(j->from),
		  from && *from ? from : "UNKNOWN_IP_ADDRESS");
	if (!ip)
		return 0;
	if (getrandom(&secret, sizeof(secret), GRND_NONBLOCK) < 0)
		secret = (uint64_t)getpid();
	j->seen = seen_new(secret);
	return j->seen ? 0 : -ENOMEM;
}

void journal_event(const struct journal *j, const char *what)
{
	if (j->on)
		syslog(PRIORITY, "%s: user %s IP %s", what, j->user, j->from);
}

static bool may_write(struct journal *j, uint64_t now_s)
{
	if (now_s != j->second) {
		if (j->left_out)
			syslog(PRIORITY,
			       "user %s Real-IP %s: %u more addresses were "
			       "left out",
			       j->user, j->from, j->left_out);
		j->second = now_s;
		j->written = j->left_out = 0;
	}
	if (j->written < PER_SECOND) {
		j->written++;
		return true;
	}
	j->left_out++;
	return false;
}

static void write_addr(struct journal *j, const struct seen_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->bytes, text,
		       sizeof(text)))
		return;
	syslog(PRIORITY, "user %s Real-IP %s has got VDE-IP%d %s on vlan %u",
	       j->user, j->from, a->len == 4 ? 4 : 6, text, a->vlan);
}

void journal_frames(struct journal *j, const struct vde_frame *f, int n,
		    uint64_t now_ns)
{
	uint64_t now_s = now_ns / 1000000000 + 1;

	for (int i = 0; i < n; i++) {
		struct seen_addr a;

		if (seen_parse(&a, f[i].data, f[i].len) &&
		    seen_note(j->seen, &a, now_s) && may_write(j, now_s))
			write_addr(j, &a);
	}
}

void journal_close(struct journal *j)
{
	seen_free(j->seen);
	j->seen = NULL;
}

bool journal_in_group(const char *name)
{
	const struct group *gr = getgrnam(name);
	gid_t *list;
	bool found = false;
	int n;

	if (!gr)
		return false;
	if (getgid() == gr->gr_gid || getegid() == gr->gr_gid)
		return true;
	n = getgroups(0, NULL);
	list = n > 0 ? calloc((size_t)n, sizeof(*list)) : NULL;
	if (!list)
		return false;
	n = getgroups(n, list);
	for (int i = 0; i < n && !found; i++)
		found = list[i] == gr->gr_gid;
	free(list);
	return found;
}
