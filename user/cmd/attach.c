// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"
#include "timeouts.h"

#include "../base/printable.h"
#include "../attach/attach.h"
#include "../config/attach_file.h"
#include "../config/saved_policy.h"
#include "../config/secret_file.h"
#include "../doctor/doctor.h"
#include "../model/policy_keys.h"
#include "../report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* auto, then those of enum sw_mode */
static const char *const modes[] = { "auto", "native", "generic", "tc", NULL };
static const char *const tc_modes[] = { "auto", "tcx", "clsact", NULL };

static struct {
	const char *config;
	int way;
	int mode;
	int tc;
	uint64_t handshakes;
	uint64_t connections;
	uint64_t events_per_second;
	bool checksums;
	uint32_t timeout_ms[SW_TIMEOUT_COUNT];
} given = { .way = -1, .events_per_second = UINT64_MAX };

static const struct sw_option options[] = {
	{ "config", 'c', SW_OPTION_STRING, &given.config, "FILE",
	  .help = "take interfaces and options from a YAML file; the command line overrides it" },
	{ "mode", 'm', SW_OPTION_CHOICE, &given.mode, "MODE",
	  .help = "where incoming packets are seen: native or generic XDP, or tc; auto takes "
		  "native if the driver can, else tc",
	  .choices = modes },
	{ "tc", 0, SW_OPTION_CHOICE, &given.tc, "HOOK",
	  .help = "hooks of TC by auto (TCX if the kernel can), tcx or clsact",
	  .choices = tc_modes },
	{ "handshakes", 0, SW_OPTION_NUMBER, &given.handshakes, "N",
	  .help = "room for half-open handshakes (65536)", .minimum = SW_MIN_HANDSHAKES,
	  .maximum = SW_MAX_HANDSHAKES },
	{ "connections", 0, SW_OPTION_NUMBER, &given.connections, "N",
	  .help = "room for established connections (131072)", .minimum = SW_MIN_CONNECTIONS,
	  .maximum = SW_MAX_CONNECTIONS },
	{ "timeout", 't', SW_OPTION_CALLBACK, given.timeout_ms, "NAME=DURATION",
	  .help = "end a silent entry after that time; may be repeated",
	  .parse = sw_parse_timeout },
	{ "events-per-second", 0, SW_OPTION_NUMBER, &given.events_per_second, "N",
	  .help = "budget of events of each CPU (1000); 0: no limit", .maximum = UINT32_MAX },
	{ "flood-way", 0, SW_OPTION_CHOICE, &given.way, "WAY",
	  .help = "how SYN floods are kept off: auto, handover, kernel or challenge",
	  .choices = sw_flood_wishes },
	{ "checksums", 0, SW_OPTION_FLAG, &given.checksums, NULL,
	  .help = "verify checksums; misleading if a card fills them in later" },
	{},
};

struct interfaces {
	const char *const *names;
	uint32_t count;
};

/* What the first attach begins with. */
struct saved {
	struct sw_policy *policy; /* NULL: the default one */
	bool disarmed;
	bool refused; /* there is a saved policy, and it cannot be read */
	char why[512];
};

static int load_saved(struct saved *saved)
{
	struct sw_policy *policy = malloc(sizeof(*policy));
	bool found = false;
	int error = policy ? sw_saved_policy_load(sw_command_state_dir(), policy, &found) : -ENOMEM;

	saved->disarmed = sw_saved_disarmed(sw_command_state_dir());
	if (!error && found) {
		saved->policy = policy;
		return 0;
	}
	free(policy);
	if (!error || error == -ENOMEM)
		return error;
	saved->refused = true;
	sw_format(saved->why, sizeof(saved->why), "%s",
		  sw_error_text() ? sw_error_text() : sw_errno_text(error));
	sw_error_clear();
	return 0;
}

/* The secret that hosts share, which only a policy that wants it asks for. */
struct secret {
	struct sw_cookie_master masters[SW_COOKIE_MASTERS];
	bool refused;
	char why[512];
};

static void load_secret(struct secret *secret)
{
	int error = sw_secret_file_read(sw_global.secret_file, secret->masters);

	secret->refused = error;
	if (error)
		sw_format(secret->why, sizeof(secret->why), "%s",
			  sw_error_text() ? sw_error_text() : sw_errno_text(error));
	sw_error_clear();
}

/* Returns the exit code. */
static int tell_saved(const struct saved *saved, struct sw_attach_result *first)
{
	first->policy = saved->policy ? "saved" : saved->refused ? "refused" : "default";
	first->disarmed = saved->disarmed;
	if (saved->disarmed)
		sw_note("disarmed, as it was: nothing is dropped until 'synward arm'");
	if (saved->policy)
		sw_note("the saved policy is active again: 'synward policy show' prints it");
	if (!saved->refused)
		return SW_EXIT_OK;
	sw_note("the saved policy is not valid, so the default policy is active, which drops "
		"nothing: %s",
		saved->why);
	return SW_EXIT_DEGRADED;
}

static void print_one(const struct sw_attach_result *result)
{
	const char *verb = result->repaired ? "repaired" :
			   result->already  ? "already attached" :
					      "attached";

	printf("%s: %s (%s%s, %s)\n", SW_PRINTABLE_NAME(result->name), verb,
	       sw_attach_mode_words(result->mode, result->frags),
	       result->mode == SW_MODE_TC ? "" : " XDP", sw_tc_hook_name(result->tc_hook));
}

static struct sw_attach_request request_given(void)
{
	struct sw_attach_request request = {
		.state_dir = sw_command_state_dir(),
		.mode = given.mode ? (enum sw_mode)(given.mode - 1) : SW_MODE_AUTO,
		.tc = (enum sw_tc_mode)given.tc,
		.handshakes = (uint32_t)given.handshakes,
		.connections = (uint32_t)given.connections,
		.checksums = given.checksums,
		.wish_given = given.way >= 0,
		.wish = given.way > 0 ? (enum sw_flood_wish)given.way : SW_WISH_AUTO,
		.events_given = given.events_per_second != UINT64_MAX,
		.events_per_second = (uint32_t)given.events_per_second,
	};

	memcpy(request.timeout_ms, given.timeout_ms, sizeof(request.timeout_ms));
	return request;
}

/*
 * Which interfaces, by the command line or else by the file, and what is given about them. Where both
 * name an option the command line is right, so it is read once more after the file. Returns 1, or what
 * run() is to return.
 */
static int read_given(int argc, char **argv, struct sw_attach_file *file, struct interfaces *wanted)
{
	int first = sw_command_options(&sw_cmd_attach, argc, argv), error = 0;

	if (first <= 0)
		return first;
	if (given.config)
		error = sw_attach_file_open(given.config, options, given.timeout_ms, file);
	if (!error && given.config)
		error = sw_options_parse(argc, argv, options, sw_global_options, false);
	if (error < 0)
		return error;
	wanted->names = (const char *const *)argv + first;
	wanted->count = (uint32_t)(argc - first);
	if (!wanted->count) {
		wanted->names = (const char *const *)file->interfaces;
		wanted->count = file->interface_count;
	}
	if (!wanted->count || wanted->count > SW_MAX_INTERFACES)
		return sw_error(EINVAL,
				"attach: expected 1 to %u interfaces: synward attach IFACE..., or "
				"'interfaces' in the file of --config",
				SW_MAX_INTERFACES);
	return 1;
}

/* Before it is done; of what was asked for by name that is known. */
static void tell_native_costs(const struct interfaces *wanted)
{
	char cost[160];

	for (uint32_t i = 0; i < wanted->count; i++) {
		sw_native_cost(wanted->names[i], cost, sizeof(cost));
		if (cost[0])
			sw_note("%s: %s", SW_PRINTABLE_NAME(wanted->names[i]), cost);
	}
}

static int run(int argc, char **argv)
{
	SW_AUTO_ATTACH_FILE struct sw_attach_file file = {};
	struct sw_attach_result results[SW_MAX_INTERFACES];
	struct sw_attach_request request;
	struct interfaces wanted;
	struct saved saved = {};
	struct secret secret = {};
	int code = SW_EXIT_OK;
	int error = read_given(argc, argv, &file, &wanted);

	if (error <= 0)
		return error;
	request = request_given();
	error = load_saved(&saved);
	request.policy = saved.policy;
	request.disarmed = saved.disarmed;
	if (!error && request.mode == SW_MODE_AUTO)
		tell_native_costs(&wanted);
	if (!error)
		load_secret(&secret);
	request.masters = secret.refused ? NULL : secret.masters;
	if (!error)
		error = sw_attach(sw_global.pin_dir, &request, wanted.names, wanted.count, results);
	explicit_bzero(secret.masters, sizeof(secret.masters));
	if (!error && results[0].created)
		code = tell_saved(&saved, &results[0]);
	free(saved.policy);
	if (error)
		return error == -EINVAL ? -EIO : error; /* EINVAL is for the command line */
	if (results[0].undefended)
		code = SW_EXIT_DEGRADED;
	if (results[0].shares_secret && secret.refused) {
		sw_note("the policy has flood_defence.shared_secret, and the secret was not "
			"loaded: %s",
			secret.why);
		code = SW_EXIT_DEGRADED;
	}
	for (uint32_t i = 0; i < wanted.count; i++) {
		if (!sw_global.json)
			print_one(&results[i]);
		if (results[i].native_refused)
			sw_note("%s: at TC instead of XDP: %s", results[i].name, results[i].note);
	}
	if (sw_global.json)
		sw_json_attach(stdout, results, wanted.count, sw_global.pretty);
	return code;
}

const struct sw_command sw_cmd_attach = {
	.name = "attach",
	.summary = "watch the handshakes of interfaces",
	.usage = "IFACE... | --config FILE",
	.text = "Loads the programs, attaches them to what the interfaces receive and send, and\n"
		"exits; the programs stay in the kernel. All attached interfaces share one set of\n"
		"tables, also across network namespaces; the first attach sets their sizes. The\n"
		"first attach also activates the saved policy. Without one, nothing is dropped.\n"
		"You can run attach again at any time: it checks the interface and restores a\n"
		"hook that is missing. It also reads the secret of flood_defence.shared_secret\n"
		"again, if the policy has it. Exit code 3: attached, but floods are not kept off "
		"as\n"
		"the policy asks, or the saved policy or that secret cannot be read.\n"
		"\n"
		"If one interface fails, or you interrupt it, it detaches those that it has\n"
		"attached, and says so.\n"
		"\n"
		"Timeouts: syn_sent, syn_received, rst_grace, established, closed.\n"
		"\n"
		"With --config, the options come from a file. The interfaces come from it too,\n"
		"unless the command line names some; see synward-attach.yaml(5). A file with a\n"
		"mistake changes nothing, and the exit code is 2.\n"
		"\n"
		"Examples:\n"
		"  synward attach --config /etc/synward/attach.yaml\n"
		"  synward attach eth0\n"
		"  synward attach eth0 eth1 --handshakes 1000000\n"
		"  synward attach lo -m generic -t syn_sent=30s -t rst_grace=500ms\n"
		"  ip netns exec blue synward attach veth0\n",
	.options = options,
	.run = run,
};
