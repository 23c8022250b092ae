// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaching. Each step leaves something that the next attach or detach can recognise: maps without the pin of
 * the identity, or for no interface, are a leftover; of interfaces see attachment.c.
 */
#include "attach.h"
#include "attachment.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/interrupts.h"
#include "../base/number.h"
#include "../base/time.h"
#include "../defence/defence.h"
#include "../defence/shared_secret.h"
#include "../hooks/hooks.h"
#include "../lists/protected.h"
#include "../maps/settings.h"
#include "../model/names.h"
#include "../model/policy.h"
#include "../platform/netns.h"
#include "../platform/notice.h"
#include "../platform/preflight.h"
#include "../policy/policy_change.h"

#include <string.h>
#include <sys/random.h>

/* Those of the command line are for all services. *changed: whether any was another before. */
static int choose_timeouts(const struct sw_attach_request *request, struct sw_policy *policy,
			   bool *changed)
{
	*changed = false;
	for (int i = 0; i < SW_TIMEOUT_COUNT; i++) {
		for (uint32_t row = 0; request->timeout_ms[i] && row < SW_SERVICE_SLOTS; row++) {
			if (row >= policy->service_count && row != SW_SERVICE_DEFAULT)
				continue;
			*changed |= policy->rules[row].timeout_ms[i] != request->timeout_ms[i];
			policy->rules[row].timeout_ms[i] = request->timeout_ms[i];
		}
	}
	return *changed ? sw_policy_compile(policy) : 0;
}

/* What the new maps begin with. */
static int choose_creation(struct attachment *at)
{
	const struct sw_attach_request *request = at->request;
	struct sw_settings *settings = &at->creation.settings;
	bool changed;
	int error;

	at->policy = malloc(sizeof(*at->policy));
	if (!at->policy)
		return -ENOMEM;
	if (request->policy)
		*at->policy = *request->policy;
	else
		sw_policy_default(at->policy);
	error = choose_timeouts(request, at->policy, &changed);
	if (error)
		return error;
	at->creation.policy = at->policy;
	at->creation.armed = !request->disarmed;
	*settings = (struct sw_settings){
		.events_per_second = request->events_given ? request->events_per_second :
							     SW_DEFAULT_EVENTS_PER_SECOND,
		.event_anomalies = SW_MASK_DROP | SW_MASK_DROP_SYM,
		.policy = at->policy->features << SW_POLICY_FEATURE_SHIFT,
		.flood_wish = request->wish,
	};
	memcpy(settings->timeout_ms, at->policy->rules[SW_SERVICE_DEFAULT].timeout_ms,
	       sizeof(settings->timeout_ms));
	return 0;
}

static uint32_t buckets_for(uint32_t entries)
{
	return (entries + SW_WAYS - 1) / SW_WAYS;
}

static int begin_instance(struct attachment *at)
{
	struct sw_identity *identity = &at->instance.identity;
	uint32_t handshakes = at->request->handshakes, connections = at->request->connections;
	bool unrestored = false; /* that was noted; what is attached now is not worse for it */
	int error = sw_leftover_remove(&at->instance, &unrestored);

	if (error)
		return error;
	*identity = (struct sw_identity){
		.abi_version = SW_ABI_VERSION,
		.handshake_buckets = buckets_for(handshakes ? handshakes : SW_DEFAULT_HANDSHAKES),
		.connection_buckets = buckets_for(connections ? connections :
								SW_DEFAULT_CONNECTIONS),
		.created_ns = sw_monotonic_ns(),
	};
	if (getrandom(identity->seed, sizeof(identity->seed), 0) != sizeof(identity->seed))
		return sw_error(EIO, "the kernel gave no random numbers: %s", sw_errno_text(errno));
	error = choose_creation(at);
	if (error)
		return error;
	at->create = true;
	at->was_empty = true;
	return 0;
}

static int check_size(const char *option, uint32_t wanted, uint32_t buckets)
{
	char have[SW_NUMBER_SIZE], want[SW_NUMBER_SIZE];

	if (!wanted || buckets_for(wanted) == buckets)
		return 0;
	return sw_error(
		EEXIST,
		"--%s %s: the tables are in use with %s entries, and their size is set by the "
		"first attach; leave the option out, or detach everything first: synward "
		"detach --all",
		option, sw_format_count(want, wanted),
		sw_format_count(have, (uint64_t)buckets * SW_WAYS));
}

static int open_instance(const char *pin_dir, struct attachment *at)
{
	const struct sw_identity *identity = &at->instance.identity;
	int error = sw_instance_open(pin_dir, SW_ACCESS_CREATE, &at->instance);
	bool empty = error == -SW_NOT_ATTACHED;

	if (empty) {
		sw_error_clear();
		error = 0;
	}
	if (!error)
		error = sw_pins_check_writable(&at->instance.pins);
	if (!error && !empty)
		error = sw_records_open(&at->instance, &at->records);
	if (error)
		return error;
	/* maps for no interface are what an attach or detach has left that was interrupted: nobody knows how far it came */
	if (empty || !at->records.count) {
		sw_records_close(&at->records);
		return begin_instance(at);
	}
	at->open = true;
	error = sw_object_check_maps(&at->instance);
	if (error)
		return error;
	error = check_size("handshakes", at->request->handshakes, identity->handshake_buckets);
	if (!error)
		error = check_size("connections", at->request->connections,
				   identity->connection_buckets);
	if (!error)
		error = sw_hooks_forget_gone(&at->instance, &at->records);
	return error ? error : sw_records_save_names(&at->records);
}

/* Undoes what this command has done; what failed has its line recorded already. */
static void roll_back(struct attachment *at, const struct sw_attach_result *results, uint32_t count)
{
	if (at->instance.pins.parent_fd < 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (!results[i].already)
			sw_attach_release(at, results[i].slot);
	if (at->was_empty)
		sw_pins_remove_all(&at->instance.pins);
}

static int change_timeouts(const struct attachment *at)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	const struct sw_policy_change change = {};
	struct sw_policy_state state;
	bool changed;
	int error;

	if (!policy)
		return -ENOMEM;
	error = sw_policy_read(&at->instance, policy, &state);
	if (!error)
		error = choose_timeouts(at->request, policy, &changed);
	if (error || !changed)
		return error;
	if (state.pending)
		return sw_error(EBUSY,
				"timeouts cannot change while a policy waits to be confirmed: "
				"synward policy confirm, or policy rollback");
	return sw_policy_install(&at->instance, policy, &change);
}

/* What an attach may change of what is there already. */
static int change_settings(const struct attachment *at)
{
	SW_AUTO_SETTINGS struct sw_settings *settings = NULL;
	int error = sw_settings_map(&at->instance, &settings);

	if (!error && at->request->events_given)
		settings->events_per_second = at->request->events_per_second;
	if (!error && at->request->wish_given)
		settings->flood_wish = at->request->wish;
	return error ? error : change_timeouts(at);
}

/* Can floods be kept off here the way that the command line asks for? */
static int check_wish(const struct attachment *at)
{
	SW_AUTO_FREE struct sw_policy *active = NULL;
	const struct sw_instance *instance = at->was_empty ? NULL : &at->instance;
	struct sw_policy_state state;
	int error;

	if (!instance)
		return sw_defence_check_wish(instance, at->policy, at->request->wish);
	active = malloc(sizeof(*active));
	error = active ? sw_policy_read(instance, active, &state) : -ENOMEM;
	return error ? error : sw_defence_check_wish(instance, active, at->request->wish);
}

static int settle_defence(const struct attachment *at, struct sw_attach_result *results,
			  uint32_t count)
{
	struct sw_defence_done done;
	int error = sw_defence_settle(&at->instance, &done);

	if (error)
		return error;
	results[0].undefended = done.degraded;
	for (uint32_t i = 0; i < count; i++)
		results[i].repaired |= results[i].already &&
				       (done.linked & ~at->taken) >> results[i].slot & 1;
	return 0;
}

/* The secret is read anew by each attach, if the policy that is active wants it. */
static int load_secret(const struct attachment *at, struct sw_attach_result *result)
{
	struct sw_settings settings;
	bool changed;
	int error = sw_settings_read(&at->instance, &settings);

	if (error)
		return error;
	result->shares_secret = settings.policy >> SW_POLICY_FEATURE_SHIFT & SW_HAS_SHARED_SECRET;
	return result->shares_secret && at->request->masters ?
		       sw_shared_secret_load(&at->instance, at->request->masters, &changed) :
		       0;
}

/* Interfaces are attached all, or none. */
static int check_interrupts(void)
{
	int error = sw_interrupts_check();

	return error ? sw_error(error, "interrupted: none of these interfaces was attached by this "
				       "command") :
		       0;
}

int sw_attach(const char *pin_dir, const struct sw_attach_request *request,
	      const char *const *names, uint32_t count, struct sw_attach_result *results)
{
	struct attachment at = { .instance = SW_INSTANCE_NONE,
				 .records = SW_RECORDS_NONE,
				 .request = request,
				 .netns = sw_netns_own() };
	uint32_t done = 0, looked_at = 0, ifindex;
	int error = sw_preflight_attach();
	sigset_t signals;

	for (uint32_t i = 0; i < count && !error; i++) {
		error = sw_interface_index(names[i], &ifindex);
		if (!error)
			error = sw_preflight_frames(names[i]);
	}
	if (!error)
		error = open_instance(pin_dir, &at);
	sw_interrupts_hold(&signals); /* which may end what only waited for the lock */
	if (!error && request->wish_given)
		error = check_wish(&at);
	while (!error && !(error = check_interrupts()) && done < count) {
		error = sw_interface_index(names[done], &ifindex);
		memset(&results[done], 0, sizeof(results[done]));
		if (!error && at.open && done >= looked_at)
			looked_at = done + sw_attach_load_ahead(&at, names + done, count - done);
		if (!error)
			error = sw_attach_one(&at, names[done], ifindex, &results[done]);
		done += !error;
	}
	results[0].created = at.was_empty;
	if (!error && !at.was_empty)
		error = change_settings(&at);
	if (!error)
		error = settle_defence(&at, results, count);
	if (!error)
		error = load_secret(&at, &results[0]);
	if (!error)
		error = sw_protected_refresh(&at.instance);
	if (error)
		roll_back(&at, results, done);
	else
		sw_notice_attached(&at.instance.pins, results, count);
	sw_load_batch_clear(&at.ahead);
	sw_records_close(&at.records);
	sw_instance_close(&at.instance);
	free(at.policy);
	sw_interrupts_release(&signals);
	return error;
}
