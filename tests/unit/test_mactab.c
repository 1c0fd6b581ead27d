// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/mactab.h"

#include "../unit/test.h"

#define PORTS 8

static struct mactab *table(size_t slots)
{
	return mactab_new(slots, PORTS, 42);
}

static enum mactab_result learn(struct mactab *t, uint64_t addr,
				unsigned int port, uint32_t now)
{
	unsigned int old;

	return mactab_learn(t, mactab_key(0, addr), port, now, &old);
}

static int find(struct mactab *t, uint64_t addr, uint32_t now)
{
	return mactab_find(t, mactab_key(0, addr), now);
}

static void an_idle_address_is_forgotten(void)
{
	struct mactab *t = table(16);

	CHECK(learn(t, 0xabc, 7, 0) == MACTAB_NEW);
	CHECK(find(t, 0xabc, 100) == 7);
	CHECK(find(t, 0xabc, 101) == -1);
	CHECK(learn(t, 0xabc, 7, 50) == MACTAB_KNOWN);
	CHECK(find(t, 0xabc, 150) == 7);
	mactab_set_expire(t, 0);
	CHECK(find(t, 0xabc, 100000) == 7);
	mactab_free(t);
}

static void vlans_learn_apart(void)
{
	struct mactab *t = table(16);
	unsigned int old;

	mactab_learn(t, mactab_key(0, 1), 3, 0, &old);
	mactab_learn(t, mactab_key(5, 1), 4, 0, &old);
	CHECK(mactab_find(t, mactab_key(0, 1), 0) == 3);
	CHECK(mactab_find(t, mactab_key(5, 1), 0) == 4);
	CHECK(mactab_find(t, mactab_key(6, 1), 0) == -1);
	mactab_free(t);
}

static void a_station_moves_only_after_silence(void)
{
	struct mactab *t = table(16);
	unsigned int old = 99;

	learn(t, 1, 2, 10);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 13, &old) == MACTAB_KEPT);
	CHECK(old == 2 && find(t, 1, 13) == 2);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 14, &old) == MACTAB_MOVED);
	CHECK(old == 2 && find(t, 1, 14) == 5);
	mactab_free(t);
}

static void the_table_grows_and_keeps_everything(void)
{
	struct mactab *t = table(16);
	size_t found = 0;

	for (uint64_t a = 1; a <= 100000; a++)
		CHECK(learn(t, a, a % PORTS, 0) == MACTAB_NEW);
	for (uint64_t a = 1; a <= 100000; a++)
		found += find(t, a, 0) == (int)(a % PORTS);
	CHECK(found == 100000);
	CHECK(mactab_used(t) == 100000);
	CHECK(mactab_slots(t) == MACTAB_MAX_SLOTS);
	mactab_free(t);
}

static void resizing_keeps_everything(void)
{
	struct mactab *t = table(4096);
	size_t found = 0;

	for (uint64_t a = 1; a <= 1000; a++)
		learn(t, a, 1, 0);
	CHECK(mactab_resize(t, 65536) == 0 && mactab_slots(t) == 65536);
	CHECK(mactab_resize(t, 1) == 0 && mactab_slots(t) >= 2000);
	CHECK(mactab_slots(t) < 65536);
	for (uint64_t a = 1; a <= 1000; a++)
		found += find(t, a, 0) == 1;
	CHECK(found == 1000);
	mactab_free(t);
}

static void a_flooding_port_evicts_only_its_own(void)
{
	struct mactab *t = table(16);
	size_t kept = 0;

	for (uint64_t a = 1; a <= 1000; a++)
		learn(t, a, 1, 0);
	for (uint64_t a = 1; a <= 1000000; a++)
		learn(t, 0x020000000000 + a, 2, 1);
	for (uint64_t a = 1; a <= 1000; a++)
		kept += find(t, a, 1) == 1;
	CHECK(kept == 1000);
	CHECK(mactab_slots(t) == MACTAB_MAX_SLOTS);
	CHECK(mactab_used(t) <= MACTAB_MAX_SLOTS);
	/* and a quiet port still gets its station in */
	for (uint64_t a = 1; a <= 1000; a++)
		CHECK(learn(t, 0x030000000000 + a, 3, 1) == MACTAB_NEW);
	mactab_free(t);
}

static void flushing_takes_the_port_and_vlan_asked_for(void)
{
	struct mactab *t = table(16);
	unsigned int old;

	mactab_learn(t, mactab_key(0, 1), 1, 0, &old);
	mactab_learn(t, mactab_key(5, 2), 1, 0, &old);
	mactab_learn(t, mactab_key(5, 3), 2, 0, &old);
	mactab_flush(t, 1, 5);
	CHECK(mactab_used(t) == 2);
	CHECK(mactab_find(t, mactab_key(5, 2), 0) == -1);
	mactab_flush(t, 1, -1);
	CHECK(mactab_used(t) == 1);
	mactab_flush(t, -1, 5);
	CHECK(mactab_used(t) == 0);
	mactab_free(t);
}

static void count_gone(void *ctx, const struct mactab_entry *e)
{
	*(int *)ctx += e->port == 1;
}

static void expiry_tells_what_went_and_when_to_look_again(void)
{
	struct mactab *t = table(16);
	int gone = 0;

	mactab_on_gone(t, count_gone, &gone);
	CHECK(mactab_expire(t, 5) == 0);
	learn(t, 1, 1, 10);
	learn(t, 2, 1, 30);
	CHECK(mactab_expire(t, 40) == 111);
	CHECK(gone == 0);
	CHECK(mactab_expire(t, 111) == 131);
	CHECK(gone == 1 && mactab_used(t) == 1);
	mactab_free(t);
}

static void whatever_is_forgotten_is_told(void)
{
	struct mactab *t = table(16);
	int gone = 0;
	unsigned int learned = 0;

	mactab_on_gone(t, count_gone, &gone);
	for (uint64_t a = 1; a <= 400000; a++) /* more than fits */
		learned += learn(t, a, 1, 0) == MACTAB_NEW;
	CHECK(gone > 0 && learned - (unsigned int)gone == mactab_used(t));
	CHECK(mactab_resize(t, 1) == 0);
	CHECK(learned - (unsigned int)gone == mactab_used(t));
	mactab_flush(t, 1, -1);
	CHECK(learned == (unsigned int)gone && mactab_used(t) == 0);
	mactab_free(t);
}

static void an_expired_station_may_move_at_once(void)
{
	struct mactab *t = table(16);
	unsigned int old;

	mactab_set_expire(t, 1);
	mactab_set_persistence(t, 1000);
	learn(t, 1, 2, 10);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 11, &old) == MACTAB_KEPT);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 12, &old) == MACTAB_MOVED);
	CHECK(find(t, 1, 12) == 5);
	mactab_free(t);
}

static void listing_visits_each_entry_once(void)
{
	struct mactab *t = table(16);
	struct mactab_entry e;
	size_t n = 0;
	uint64_t sum = 0;

	for (uint64_t a = 1; a <= 100; a++)
		learn(t, a, 1, 0);
	for (size_t i = 0; mactab_next(t, i, 0, &e); i = e.slot + 1) {
		n++;
		sum += mactab_addr(e.key);
	}
	CHECK(n == 100 && sum == 5050);
	CHECK(mactab_get(t, mactab_key(0, 7), 0, &e) && e.port == 1);
	mactab_free(t);
}

int main(void)
{
	RUN(an_idle_address_is_forgotten);
	RUN(vlans_learn_apart);
	RUN(a_station_moves_only_after_silence);
	RUN(the_table_grows_and_keeps_everything);
	RUN(resizing_keeps_everything);
	RUN(a_flooding_port_evicts_only_its_own);
	RUN(flushing_takes_the_port_and_vlan_asked_for);
	RUN(expiry_tells_what_went_and_when_to_look_again);
	RUN(whatever_is_forgotten_is_told);
	RUN(an_expired_station_may_move_at_once);
	RUN(listing_visits_each_entry_once);
	DONE();
}
