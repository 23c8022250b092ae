// SPDX-License-Identifier: GPL-2.0-or-later
#include "../attach/attach.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/time.h"
#include "../hooks/handover.h"
#include "../model/names.h"
#include "../model/policy.h"
#include "../platform/mounts.h"
#include "../platform/sysctl.h"
#include "../readers/readers.h"
#include "doctor.h"
#include "stage.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PIN_DIR	  SW_BPFFS "/synward"
#define STATE_DIR SW_BPFFS "/none" /* nothing was saved, and nothing is */

#define PATIENCE_NS 5000000000ULL

enum { DEADLINE_S = 30, ENTRIES = 1024, PAUSE_US = 20000 };

/* What is tried: only watching, and then each way. */
struct trial {
	const char *check;
	enum sw_flood_wish wish; /* AUTO: nothing is answered */
	enum sw_tally proof;	 /* grows by one with each handshake */
};

static const struct trial trials[] = {
	{ "try_watch", SW_WISH_AUTO, SW_TALLY_COUNT },
	{ "try_handover", SW_WISH_HANDOVER, SW_TALLY_COOKIES_ACCEPTED },
	{ "try_kernel", SW_WISH_KERNEL, SW_TALLY_COOKIES_SENT },
	{ "try_challenge", SW_WISH_CHALLENGE, SW_TALLY_CHALLENGES_SENT },
};

/* Every SYN to the port is answered, by that way. */
static int make_policy(const struct trial *trial, struct sw_policy *policy)
{
	sw_policy_default(policy);
	if (trial->wish == SW_WISH_AUTO)
		return 0;
	policy->service_count = 1;
	policy->services[0] = (struct sw_service){ .name = "self-test",
						   .port_count = 1,
						   .ports = { { SW_STAGE_PORT, SW_STAGE_PORT } } };
	policy->rules[0] = policy->rules[SW_SERVICE_DEFAULT];
	policy->rules[0].enforce = 1;
	policy->rules[0].flood.mode = SW_FLOOD_ALWAYS;
	policy->flood_defence = (struct sw_flood_defence){ .way = (uint8_t)trial->wish,
							   .set_syncookies = 1,
							   .unheard = 1 };
	return sw_policy_compile(policy);
}

static int attach(const struct trial *trial, struct sw_attach_result *result)
{
	SW_AUTO_FREE struct sw_policy *policy = malloc(sizeof(*policy));
	struct sw_attach_request request = { .state_dir = STATE_DIR,
					     .handshakes = ENTRIES,
					     .connections = ENTRIES,
					     .policy = policy };
	const char *const names[] = { SW_STAGE_INTERFACE };
	int error = policy ? make_policy(trial, policy) : -ENOMEM;

	return error ? error : sw_attach(PIN_DIR, &request, names, 1, result);
}

static const char *family_name(sa_family_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static uint64_t proofs(const struct trial *trial, const struct sw_snapshot *snapshot)
{
	return trial->proof == SW_TALLY_COUNT ? snapshot->total.outcomes[SW_OUTCOME_ACCEPTED] :
						snapshot->total.tallies[trial->proof];
}

/* One handshake. 1 if what it is to prove is counted, 0 if not, -1 with the finding. */
static int attempt(const struct trial *trial, const struct sw_stage *stage, sa_family_t family,
		   struct sw_snapshot *snapshot, struct sw_finding *finding)
{
	int error = sw_snapshot_read(PIN_DIR, snapshot);
	uint64_t before = error ? 0 : proofs(trial, snapshot);
	const char *failed = error ? NULL : sw_stage_shake_hands(stage, family);

	if (failed) {
		sw_found(finding, SW_FINDING_BROKEN, "a client could not %s over %s: %s", failed,
			 family_name(family), sw_errno_text(errno));
		return -1;
	}
	if (!error)
		error = sw_snapshot_read(PIN_DIR, snapshot);
	if (!error)
		return proofs(trial, snapshot) > before;
	sw_found_error(finding, SW_FINDING_BROKEN, error);
	return -1;
}

/*
 * True if a handshake of that family is what it is to be. The first ones may not be: the sweeper has yet
 * to find the policy, and says within some of its ticks that SYNs are to be answered.
 */
static bool is_proven(const struct trial *trial, const struct sw_stage *stage, sa_family_t family,
		      struct sw_finding *finding)
{
	SW_AUTO_FREE struct sw_snapshot *snapshot = malloc(sizeof(*snapshot));
	uint64_t end = sw_monotonic_ns() + PATIENCE_NS;
	int proven = 0;

	while (snapshot && !proven && sw_monotonic_ns() < end) {
		proven = attempt(trial, stage, family, snapshot, finding);
		if (!proven)
			usleep(PAUSE_US);
	}
	if (!proven)
		sw_found(finding, SW_FINDING_BROKEN,
			 "clients connected over %s, but not by this way", family_name(family));
	return proven > 0;
}

static bool is_lacking(const struct trial *trial, struct sw_finding *finding)
{
	const struct sw_flood_host host = {
		.hands_over = sw_handover_is_possible(),
		.checks_cookies = sw_raw_cookies_are_possible(),
		.has_word = true,
		.may_set = true,
		.syncookies = (int)sw_sysctl_read("ipv4/tcp_syncookies", 0, -1),
	};
	char text[SW_WAY_LACK_SIZE];
	const char *lack = trial->wish == SW_WISH_AUTO ?
				   NULL :
				   sw_way_lack(text, &host, SW_WISHED_WAY(trial->wish));

	if (lack)
		sw_found(finding, SW_FINDING_NOTE, "not tried: %s", lack);
	return lack != NULL;
}

/* In a child that ends soon, and all with it. */
static void try(const struct trial *trial, struct sw_finding *finding)
{
	struct sw_attach_result result = {};
	struct sw_stage stage;
	const char *failed = sw_stage_make(&stage);
	int error;

	if (failed) {
		sw_found(finding, SW_FINDING_UNKNOWN, "the self-test could not %s: %s", failed,
			 sw_errno_text(errno));
		return;
	}
	if (is_lacking(trial, finding))
		return;
	error = attach(trial, &result);
	if (error) {
		sw_found_error(finding, SW_FINDING_BROKEN, error);
		return;
	}
	if (!is_proven(trial, &stage, AF_INET, finding) ||
	    (stage.ipv6 && !is_proven(trial, &stage, AF_INET6, finding)))
		return;
	sw_found(finding, SW_FINDING_OK, "clients connect over IPv4%s, %s (%s)",
		 stage.ipv6 ? " and IPv6" : "",
		 trial->wish == SW_WISH_AUTO ? "and are followed" : "and were answered this way",
		 sw_attach_mode_name(result.mode));
}

static void conduct(const struct trial *trial, struct sw_finding *finding)
{
	pid_t parent = getpid(), child = fork();
	int status = 0;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1); /* it was killed before */
		alarm(DEADLINE_S);
		try(trial, finding);
		_exit(0);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && !status)
		return;
	if (child < 0)
		sw_found(finding, SW_FINDING_UNKNOWN, "no process could be started: %s",
			 sw_errno_text(errno));
	else if (WIFSIGNALED(status))
		sw_found(finding, SW_FINDING_BROKEN, "the self-test was ended by signal %d",
			 WTERMSIG(status));
	else
		sw_found(finding, SW_FINDING_BROKEN, "the self-test ended with exit code %d",
			 WEXITSTATUS(status));
}

void sw_self_test(struct sw_findings *findings)
{
	/* what the child finds, the parent reads */
	struct sw_finding *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (unsigned int i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		struct sw_finding *finding = sw_findings_add(findings, trials[i].check,
							     "self-test");

		if (shared == MAP_FAILED) {
			sw_found_error(finding, SW_FINDING_UNKNOWN, errno);
			continue;
		}
		*shared = *finding;
		conduct(&trials[i], shared);
		if (shared->state > SW_FINDING_NOTE && !shared->why[0])
			sw_found_why(shared, "this is what attach would do on a real interface");
		*finding = *shared;
	}
	if (shared != MAP_FAILED)
		munmap(shared, sizeof(*shared));
}
