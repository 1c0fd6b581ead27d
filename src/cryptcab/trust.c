// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "common/daemon.h"
#include "cryptcab/invite.h"
#include "cryptcab/join.h"
#include "cryptcab/keyfile.h"
#include "cryptcab/keymem.h"
#include "cryptcab/peersdisk.h"
#include "cryptcab/server.h"

#define REASON 512
#define SETTLE (50 * LOOP_MS) /* a file that changes changes again */
#define LOOK_FOR_END LOOP_SEC
#define GUEST_STAYS (600 * LOOP_SEC) /* when he is down */

struct trust {
	struct cryptcab *cab;
	struct peersfile *file, *invites; /* NULL: no peers there */
	uint8_t *psk; /* for who has none, or NULL */
	struct loop_fd watch;
	int fd; /* of inotify, or -1 */
	struct loop_timer settle, ends;
	char path[PATH_MAX], invites_path[PATH_MAX];
};

/* ---- peers of the file ---- */

static uint64_t wall(void)
{
	return (uint64_t)time(NULL);
}

static void say_failed(const char *what, const char *name, int rc)
{
	log_err("unable to %s peer %s: %s", what, name,
		rc == -EINVAL ? "its key is ours, or none" : strerror(-rc));
}

static void add(struct trust *t, const struct peersfile_peer *pp)
{
	struct admit *admit;
	struct cab_peer *p;
	int rc;

	if (pp->rules.expires && pp->rules.expires <= wall()) {
		log_notice("left out peer %s: its time is over", pp->name);
		return;
	}
	rc = admit_new(&admit, &pp->rules, cab_now());
	if (!rc) {
		rc = cab_peer_add(t->cab, pp->name, pp->key,
				  pp->psk ? pp->psk : t->psk, &p);
		if (rc)
			admit_free(admit);
	}
	if (rc)
		say_failed("add", pp->name, rc);
	else
		p->admit = admit;
}

static struct cab_peer *find(const struct trust *t,
			     const struct peersfile_peer *pp)
{
	struct tunnel_peer *tp = tunnel_peer_find(t->cab->tunnel, pp->key);

	return tp ? tunnel_peer_aux(tp) : NULL;
}

static void change(struct trust *t, struct cab_peer *p,
		   const struct peersfile_peer *is, unsigned int differs)
{
	int rc = 0;

	if (differs & PEERSFILE_PSK) {
		cab_peer_del(p);
		add(t, is);
		return;
	}
	if (differs & PEERSFILE_NAME)
		(void)str_copy(p->name, sizeof(p->name), is->name);
	if (differs & PEERSFILE_RULES)
		rc = admit_set(p->admit, &is->rules, cab_now());
	if (rc)
		say_failed("change", is->name, rc);
	else if (differs & PEERSFILE_VLANS && t->cab->server)
		server_vlans_changed(t->cab->server, p);
}

static void differs(void *ctx, const struct peersfile_peer *was,
		    const struct peersfile_peer *is, unsigned int what)
{
	struct trust *t = ctx;
	struct cab_peer *p = find(t, is ? is : was);

	if (!is && p) {
		log_notice("%s is no peer any more", p->name);
		cab_peer_del(p);
	} else if (is && p) {
		change(t, p, is, what);
	} else if (is) {
		add(t, is);
	}
}

/* The temporary peers of invitations. One that is used up stays for a while,
 * for a client who did not get the answer. */
static void invite_differs(void *ctx, const struct peersfile_peer *was,
			   const struct peersfile_peer *is, unsigned int what)
{
	struct trust *t = ctx;
	struct cab_peer *p = find(t, is ? is : was);
	int rc;

	if (!is && p)
		p->leaves_at = cab_now() + JOIN_LINGER_S * LOOP_SEC;
	if (!is || p || (is->rules.expires && is->rules.expires <= wall()))
		return;
	rc = cab_peer_add(t->cab, is->name, is->key, is->psk, &p);
	if (rc)
		say_failed("invite", is->name, rc);
	else
		p->kind = CAB_INVITED;
}

static int reload(struct trust *t, const char *path, struct peersfile **file,
		  peersfile_diff_fn *fn, struct strbuf *why)
{
	struct peersfile *f = NULL;
	int rc = peersdisk_load(&f, path, why);

	if (rc && rc != -ENOENT)
		return rc;
	peersfile_diff(*file, f, fn, t);
	peersfile_free(*file);
	*file = f;
	return 0;
}

int trust_reload(struct trust *t, struct strbuf *why)
{
	int rc = reload(t, t->path, &t->file, differs, why);

	if (!rc && !t->cab->is_client)
		rc = reload(t, t->invites_path, &t->invites, invite_differs,
			    why);
	cab_schedule(t->cab);
	return rc;
}

const struct peersfile_peer *trust_entry(
	const struct trust *t, const uint8_t key[static TUNNEL_KEY_LEN])
{
	return t->file ? peersfile_find(t->file, key) : NULL;
}

/* ---- when the file changes, and when time is over ---- */

static void settled(struct loop_timer *timer)
{
	struct trust *t = container_of(timer, struct trust, settle);
	char text[REASON];
	struct strbuf why;

	strbuf_init(&why, text, sizeof(text));
	if (trust_reload(t, &why))
		log_err("%s; peers stay as they were", text);
	else
		log_info("read %s: %u peers", t->path, t->cab->n_peers);
}

static void changed(struct loop_fd *w, uint32_t events)
{
	struct trust *t = container_of(w, struct trust, watch);
	_Alignas(struct inotify_event) char buf[4096];
	const char *name = strrchr(t->path, '/') + 1;
	ssize_t n = read(t->fd, buf, sizeof(buf));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *ev = (const void *)(buf + at);

		/* Or the list of invitations beside it. */
		if (!ev->len || !strncmp(ev->name, name, strlen(name)))
			(void)loop_timer_set(t->cab->loop, &t->settle, SETTLE,
					     settled);
		at += (ssize_t)(sizeof(*ev) + ev->len);
	}
}

/* A directory that cannot be watched leaves SIGHUP. */
static void watch(struct trust *t)
{
	char dir[PATH_MAX];
	char *slash;

	(void)str_copy(dir, sizeof(dir), t->path);
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	t->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (t->fd < 0)
		return;
	if (inotify_add_watch(t->fd, dir,
			      IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE) < 0)
		log_info("unable to watch %s: %s", dir, strerror(errno));
	else
		(void)loop_fd_add(t->cab->loop, &t->watch, t->fd, EPOLLIN,
				  changed);
}

static void look_for_ends(struct loop_timer *timer)
{
	struct trust *t = container_of(timer, struct trust, ends);
	uint64_t now = wall(), mono = cab_now();

	list_for_each_safe(pos, next, &t->cab->peers) {
		struct cab_peer *p = list_entry(pos, struct cab_peer, node);

		if (p->admit && admit_expired(p->admit, now)) {
			log_notice("%s is no peer any more: its time is over",
				   p->name);
			cab_peer_del(p);
		} else if (p->leaves_at
				   ? p->leaves_at <= mono
				   : p->kind == CAB_GUEST && p->down_since &&
					     mono - p->down_since >
						     GUEST_STAYS) {
			cab_peer_del(p);
		}
	}
	(void)loop_timer_set(t->cab->loop, timer, LOOK_FOR_END, look_for_ends);
}

/* ---- servers ---- */

static int add_server(struct client_server *s, const struct address *a,
		      struct cab_peer *p)
{
	(void)str_copy(s->host, sizeof(s->host), a->host);
	s->port = a->port;
	s->peer = p;
	return 1;
}

/* The server whose key follows from what both sides have, -P. */
static struct cab_peer *psk_server(struct trust *t, const char *name)
{
	uint8_t *key = keymem_alloc(KEY64_BYTES), pub[KEY64_BYTES];
	struct cab_peer *p = NULL;
	struct tunnel_peer *tp;
	int rc;

	if (!key)
		return NULL;
	keyfile_psk_server(key, t->psk);
	(void)crypto_scalarmult_base(pub, key);
	keymem_free(key);
	tp = tunnel_peer_find(t->cab->tunnel, pub);
	if (tp)
		return tunnel_peer_aux(tp);
	rc = cab_peer_add(t->cab, name, pub, t->psk, &p);
	if (rc)
		say_failed("add", name, rc);
	return p;
}

static int servers_of(struct trust *t, const char *what,
		      struct client_server *out, int max)
{
	char user[ADDRESS_USER_SIZE], text[REASON];
	struct peersfile_peer *pp = NULL;
	struct address a;
	struct cab_peer *p;
	struct strbuf why;
	int n;

	strbuf_init(&why, text, sizeof(text));
	if (t->file)
		pp = peersfile_find_name(t->file, what);
	if (pp) {
		p = find(t, pp);
		if (p && pp->n_addrs) {
			for (n = 0; n < max && n < (int)pp->n_addrs; n++)
				(void)add_server(&out[n], &pp->addrs[n], p);
			return n;
		}
		log_err("unable to call %s: %s", what,
			p ? "the peers file has no address for it"
			  : "its time is over");
		return -EINVAL;
	}
	if (!address_parse_target(&a, user, what, ADDRESS_PORT, &why)) {
		log_err("unable to call %s: %s", what, text);
		return -EINVAL;
	}
	if (t->file)
		pp = peersfile_find_address(t->file, &a);
	p = pp ? find(t, pp) : !t->psk ? NULL : psk_server(t, what);
	if (!p) {
		log_err("unable to call %s: no peer of %s has that name or "
			"address",
			what, t->path);
		return -ENOENT;
	}
	return add_server(out, &a, p);
}

int trust_servers(struct trust *t, const struct cli_list *connect,
		  struct client_server *out, int max)
{
	int n = 0;

	for (size_t i = 0; i < connect->n && n < max; i++) {
		int rc = servers_of(t, connect->given[i].arg, &out[n], max - n);

		if (rc < 0)
			return rc;
		n += rc;
	}
	return n;
}

/* ---- begin and end ---- */

int trust_open(struct trust **out, struct cryptcab *cab, const char *path,
	       const char *preshared)
{
	struct trust *t = calloc(1, sizeof(*t));
	char text[REASON];
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	if (!t)
		return -ENOMEM;
	*out = t;
	t->cab = cab;
	t->fd = -1;
	rc = path_absolute(t->path, path);
	if (!rc)
		rc = invite_list_path(t->invites_path, t->path);
	if (rc) {
		log_err("unable to use %s: %s", path, strerror(-rc));
		return rc;
	}
	if (preshared) {
		t->psk = keymem_alloc(KEY64_BYTES);
		rc = t->psk ? keyfile_read_psk(t->psk, preshared, &why)
			    : -ENOMEM;
	}
	if (!rc)
		rc = trust_reload(t, &why);
	if (rc) {
		log_err("%s", *text ? text : strerror(-rc));
		return rc;
	}
	watch(t);
	return loop_timer_set(cab->loop, &t->ends, LOOK_FOR_END, look_for_ends);
}

const uint8_t *trust_psk(const struct trust *t)
{
	return t->psk;
}

const char *trust_path(const struct trust *t)
{
	return t->path;
}

void trust_close(struct trust *t)
{
	if (!t)
		return;
	loop_fd_del(t->cab->loop, &t->watch);
	loop_timer_del(t->cab->loop, &t->settle);
	loop_timer_del(t->cab->loop, &t->ends);
	if (t->fd >= 0)
		close(t->fd);
	peersfile_free(t->file);
	peersfile_free(t->invites);
	keymem_free(t->psk);
	free(t);
}
