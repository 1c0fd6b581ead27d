// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Joining: messages, what the server makes of them, and a client that asks a
 * server on the loopback, which is a process of this test with the tunnel and
 * join_serve() and nothing else.
 */
#include "cryptcab/join.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "cryptcab/keyfile.h"
#include "cryptcab/noise.h"
#include "cryptcab/peersdisk.h"
#include "cryptcab/tunnel.h"
#include "test.h"

static char dir[] = "/tmp/vde-join.XXXXXX";
static char peers[64], list[PATH_MAX], reason[800];
static struct strbuf why;
static struct invite in;
static uint8_t temp[KEY64_BYTES]; /* the temporary peer's key */

static struct strbuf *anew(void)
{
	strbuf_init(&why, reason, sizeof(reason));
	return &why;
}

static struct join_message asks(uint8_t first)
{
	return (struct join_message){ .key = { first }, .name = "laptop" };
}

/* ---- messages ---- */

static void messages_arrive_as_they_were(void)
{
	struct join_message m = asks(7), got;
	uint8_t frame[JOIN_FRAME_MAX + 1] = { 0 };
	size_t len = join_write_request(frame, &m);

	CHECK(len == 59 && frame[12] == 0x88 && frame[18] == 1);
	CHECK(join_parse_request(&got, frame, len));
	CHECK(!memcmp(got.key, m.key, 32) && !strcmp(got.name, "laptop"));
	CHECK(!join_parse_answer(&got, frame, len));
	m.status = JOIN_USED;
	memset(m.name, 'n', sizeof(m.name) - 1);
	len = join_write_answer(frame, &m);
	CHECK(len == JOIN_FRAME_MAX);
	CHECK(join_parse_answer(&got, frame, len) && got.status == JOIN_USED);
	CHECK(!join_parse_request(&got, frame, len));
	m.name[0] = '\0';
	len = join_write_answer(frame, &m);
	CHECK(join_parse_answer(&got, frame, len) && !got.name[0]);
	/* Who is enrolled has a name. */
	m.status = JOIN_DONE;
	len = join_write_answer(frame, &m);
	CHECK(!join_parse_answer(&got, frame, len));
}

static void what_is_no_request_is_none(void)
{
	struct join_message m = asks(7), got;
	uint8_t frame[JOIN_FRAME_MAX + 1] = { 0 };
	size_t len = join_write_request(frame, &m);

	for (size_t n = 0; n < len; n++)
		CHECK(!join_parse_request(&got, frame, n));
	CHECK(!join_parse_request(&got, frame, len + 1));
	/* All but the key and the letters of the name are fixed. */
	for (size_t i = 0; i < 20; i++) {
		frame[i] ^= 1;
		CHECK(!join_parse_request(&got, frame, len));
		frame[i] ^= 1;
	}
	frame[53] = '/';
	CHECK(!join_parse_request(&got, frame, len));
	frame[53] = '\0';
	CHECK(!join_parse_request(&got, frame, len));
	frame[53] = 'x';
	CHECK(join_parse_request(&got, frame, len));
	memset(frame + 20, 0, 32);
	CHECK(!join_parse_request(&got, frame, len));
}

/* ---- the server ---- */

static void invite_somebody(uint64_t expires)
{
	struct peersfile_peer p = { .name = "bob",
				    .rules = { .untagged = 5, .rate = 99 } };
	uint8_t priv[KEY64_BYTES], psk[KEY64_BYTES];

	in.expires = expires;
	CHECK(!invite_open(&in, &p, peers, 0, anew()));
	invite_derive(in.secret, priv, psk);
	CHECK(noise_public(temp, priv));
}

static int serve(const struct join_message *m, uint64_t wall,
		 struct join_message *answer)
{
	uint8_t frame[JOIN_FRAME_MAX];
	size_t len = join_write_request(frame, m);

	return join_serve(peers, temp, frame, len, wall, answer, anew());
}

static uint32_t count(const char *path)
{
	struct peersfile *f = NULL;
	uint32_t n = 0;

	if (!peersdisk_load(&f, path, anew()))
		n = f->n;
	peersfile_free(f);
	return n;
}

static void clean(void)
{
	unlink(peers);
	unlink(list);
}

static void an_invitation_enrols_one_key(void)
{
	struct join_message m = asks(1), other = asks(2), a;
	uint8_t priv[KEY64_BYTES], psk[KEY64_BYTES];
	struct peersfile *f = NULL;

	invite_somebody(1000);
	CHECK(serve(&m, 999, &a) == 1 && a.status == JOIN_DONE);
	CHECK(!strcmp(a.name, "bob") && !memcmp(a.key, m.key, 32));
	CHECK(!peersdisk_load(&f, peers, anew()) && f->n == 1);
	invite_derive(in.secret, priv, psk);
	CHECK(!memcmp(f->peers[0].key, m.key, 32));
	CHECK(f->peers[0].psk && !memcmp(f->peers[0].psk, psk, 32));
	CHECK(f->peers[0].rules.untagged == 5 && f->peers[0].rules.rate == 99);
	CHECK(!f->peers[0].rules.expires);
	peersfile_free(f);
	CHECK(count(list) == 0);
	/* The answer was lost: asked again, even later than that. */
	CHECK(serve(&m, 5000, &a) == 0 && a.status == JOIN_DONE);
	CHECK(!strcmp(a.name, "bob"));
	CHECK(serve(&other, 999, &a) == 0 && a.status == JOIN_USED);
	CHECK(count(peers) == 1);
	clean();
}

static void it_ends_when_it_expires(void)
{
	struct join_message m = asks(1), a;

	invite_somebody(1000);
	CHECK(serve(&m, 1000, &a) == 0 && a.status == JOIN_EXPIRED);
	CHECK(count(peers) == 0);
	clean();
}

static void a_known_key_is_not_changed_by_it(void)
{
	struct peersfile_peer p = { .name = "eve", .key = { 1 } };
	struct join_message m = asks(1), a;
	struct peersfile *f = NULL;

	p.rules.untagged = 9;
	CHECK(!peersdisk_add(peers, &p, anew()));
	invite_somebody(1000);
	CHECK(serve(&m, 1, &a) == 0 && a.status == JOIN_KNOWN);
	CHECK(!peersdisk_load(&f, peers, anew()) && f->n == 1);
	CHECK(f->peers[0].rules.untagged == 9 && !f->peers[0].psk);
	peersfile_free(f);
	CHECK(count(list) == 1); /* still open */
	clean();
}

static void a_name_that_is_taken_gets_a_number(void)
{
	struct peersfile_peer p = { .name = "bob", .key = { 3 } };
	struct join_message m = asks(1), a;

	p.rules.untagged = VLAN_NONE;
	CHECK(!peersdisk_add(peers, &p, anew()));
	invite_somebody(1000);
	CHECK(serve(&m, 1, &a) == 1 && !strcmp(a.name, "bob-2"));
	clean();
}

static void trouble_is_answered_and_told(void)
{
	struct join_message m = asks(1), a;
	struct privlock l;
	uint8_t junk[60] = { 0 };

	invite_somebody(1000);
	CHECK(join_serve(peers, temp, junk, 60, 1, &a, anew()) == -EBADMSG);
	CHECK(!privfile_lock(&l, peers, 0, anew()));
	CHECK(serve(&m, 1, &a) == -EAGAIN);
	CHECK(!privfile_replace(&l, "junk\n", 5, anew()));
	CHECK(serve(&m, 1, &a) == -EINVAL && a.status == JOIN_FAILED);
	CHECK(strstr(reason, peers) && strstr(reason, "line 1"));
	CHECK(count(list) == 1);
	clean();
}

/* ---- with a tunnel between ---- */

struct server {
	struct tunnel *t;
	struct sockaddr_in from;
	int fd;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void op_random(void *ctx, void *p, size_t len)
{
	randombytes_buf(p, len);
}

static void reply(struct server *s, const void *p, size_t len)
{
	(void)!sendto(s->fd, p, len, 0, (struct sockaddr *)&s->from,
		      sizeof(s->from));
}

static void op_send(void *ctx, const struct tunnel_addr *to,
		    const uint8_t *datagram, size_t len, bool probe)
{
	reply(ctx, datagram, len);
}

static struct join_message pending;
static bool has_pending;

static void op_frame(void *ctx, struct tunnel_peer *p, uint8_t *frame,
		     size_t len, const struct tunnel_meta *meta)
{
	int rc = join_serve(peers, temp, frame, len, (uint64_t)time(NULL),
			    &pending, anew());

	has_pending = rc != -EAGAIN && rc != -EBADMSG;
}

static void op_event(void *ctx, struct tunnel_peer *p, enum tunnel_event ev,
		     const uint8_t key[static TUNNEL_KEY_LEN],
		     const struct tunnel_addr *addr)
{
}

static const struct tunnel_ops ops = { op_random, op_send, op_frame, op_event };

static void answer(struct server *s, struct tunnel_peer *p)
{
	uint8_t buf[400];
	struct tunnel_packet pk = { .data = buf + TUNNEL_HEAD,
				    .room = 400 - TUNNEL_HEAD };

	has_pending = false;
	pk.len = (uint32_t)join_write_answer(pk.data, &pending);
	if (tunnel_seal(p, &pk, 1, now_ns()) == 1)
		reply(s, pk.data, pk.len);
}

/* Till it is killed. @deaf: as many answers are lost. */
static void run_server(int fd, const uint8_t *key, int deaf)
{
	static const struct tunnel_addr there = { .len = 1, .host_len = 1 };
	static uint8_t buf[TUNNEL_DATAGRAM_MAX];
	uint8_t priv[KEY64_BYTES], psk[KEY64_BYTES];
	struct server s = { .fd = fd };
	struct tunnel_peer_config pc = { .key = temp, .psk = psk };
	struct tunnel_config cfg;
	struct tunnel_peer *p;

	invite_derive(in.secret, priv, psk);
	tunnel_defaults(&cfg);
	cfg.ops = &ops;
	cfg.ctx = &s;
	cfg.key = key;
	cfg.stamp_base = 1;
	cfg.alloc = sodium_malloc;
	cfg.free = sodium_free;
	if (tunnel_new(&s.t, &cfg) || tunnel_peer_add(s.t, &pc, now_ns(), &p))
		_exit(1);
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		socklen_t len = sizeof(s.from);
		ssize_t n;

		poll(&pfd, 1, 20);
		n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
			     (struct sockaddr *)&s.from, &len);
		if (n > 0)
			tunnel_recv(s.t, &there, buf, (size_t)n, 0, now_ns());
		if (has_pending && deaf-- <= 0)
			answer(&s, p);
		has_pending = false;
		tunnel_tick(s.t, now_ns());
	}
}

/* A socket on the loopback; its address is the next one of the invitation. */
static int listen_udp(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sa);
	struct address *a = &in.addrs[in.n_addrs++];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(!bind(fd, (struct sockaddr *)&sa, sizeof(sa)));
	CHECK(!getsockname(fd, (struct sockaddr *)&sa, &len));
	CHECK(address_parse(a, "127.0.0.1", ntohs(sa.sin_port), anew()));
	return fd;
}

static void a_client_joins_over_udp(void)
{
	uint8_t key[KEY64_BYTES];
	struct join_message m = asks(1);
	int fd, status;
	pid_t pid;

	memset(&in, 0, sizeof(in));
	keyfile_generate(key);
	CHECK(noise_public(in.key, key));
	/* Nobody listens at the first address. */
	close(listen_udp());
	fd = listen_udp();
	invite_somebody((uint64_t)time(NULL) + 100);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_server(fd, key, 1);
	CHECK(!join_ask(&in, &m, 10000, anew()));
	CHECK(m.status == JOIN_DONE && !strcmp(m.name, "bob"));
	CHECK(count(peers) == 1 && count(list) == 0);
	m = asks(2);
	CHECK(join_ask(&in, &m, 10000, anew()) == -EACCES);
	CHECK(m.status == JOIN_USED && strstr(reason, "used"));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	/* Nor does anybody now. */
	m = asks(3);
	CHECK(join_ask(&in, &m, 300, anew()) == -ETIMEDOUT);
	CHECK(strstr(reason, "no answer"));
	close(fd);
	clean();
}

int main(void)
{
	if (sodium_init() < 0 || !mkdtemp(dir))
		return 1;
	log_open("vde_cryptcab", LOG_INFO);
	(void)str_fmt(peers, sizeof(peers), "%s/peers", dir);
	CHECK(!invite_list_path(list, peers));
	RUN(messages_arrive_as_they_were);
	RUN(what_is_no_request_is_none);
	RUN(an_invitation_enrols_one_key);
	RUN(it_ends_when_it_expires);
	RUN(a_known_key_is_not_changed_by_it);
	RUN(a_name_that_is_taken_gets_a_number);
	RUN(trouble_is_answered_and_told);
	RUN(a_client_joins_over_udp);
	rmdir(dir);
	DONE();
}
