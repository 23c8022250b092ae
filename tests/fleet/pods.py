# SPDX-License-Identifier: GPL-2.0-or-later
"""What the manifests say, read from what kubectl makes of them, and nodes that do it: a network namespace each."""

import json
import pathlib
import re
import shutil
import socket

import yaml

from cli import ROOT
from net import Failed, run

KUBERNETES = ROOT / "packaging" / "kubernetes"
CONTAIN = pathlib.Path(__file__).resolve().parent / "contain"
PATH = "/usr/sbin:/usr/bin"  # as the image has it
BPFFS = pathlib.Path("/sys/fs/bpf")


def why_no_kustomize():
    """None, or why this machine cannot build overlays."""
    if not shutil.which("kubectl"):
        return "there is no kubectl"
    if run("kubectl", "kustomize", KUBERNETES / "overlays" / "default", check=False).returncode:
        said = run("kubectl", "version", "--client", check=False).stdout
        # before 4, as Debian 12 has it, it knew neither patches nor bases among resources
        if not re.search(r"Kustomize Version: v([4-9]|\d\d)", said):
            return "the kustomize in kubectl is older than 4, or does not say its version"
    return None


def objects(overlay):
    """{kind: object} of an overlay."""
    text = run("kubectl", "kustomize", KUBERNETES / "overlays" / overlay).stdout
    found = [one for one in yaml.safe_load_all(text) if one]
    assert len({one["kind"] for one in found}) == len(found), "a kind that comes twice"
    return {one["kind"]: one for one in found}


class Pod:
    """One of a DaemonSet."""

    def __init__(self, overlay):
        self.objects = objects(overlay)
        self.daemonset = self.objects["DaemonSet"]
        self.spec = self.daemonset["spec"]["template"]["spec"]
        self.files = self.objects.get("ConfigMap", {}).get("data", {})
        self.volumes = {one["name"]: one for one in self.spec["volumes"]}

    @property
    def inits(self):
        return self.spec["initContainers"]

    @property
    def containers(self):
        return {one["name"]: one for one in (*self.inits, *self.spec["containers"])}

    def set(self, container, name, value):
        """Another value of a variable."""
        [one] = [one for one in self.containers[container]["env"] if one["name"] == name]
        one["value"] = value


class Node:
    """A host with the kubelet's part of it: the paths of the host that a pod names are its own."""

    def __init__(self, lab, image, name, top):
        self.lab, self.image, self.name, self.top = lab, image, name, top
        self.space, self.outside = lab.namespace(name), lab.namespace(f"{name}-out")
        self.end, self.far = lab.wire(self.space, "eth0", self.outside, "far0")
        self.address = self.end.address(socket.AF_INET)

    def host_path(self, path):
        """All nodes have one kernel here, so each has a directory in its bpffs for what should be the whole."""
        path = pathlib.PurePosixPath(path)
        if path.is_relative_to(BPFFS):
            place = BPFFS / self.name / path.relative_to(BPFFS)
        else:
            place = self.top / str(path).lstrip("/")
        place.mkdir(parents=True, exist_ok=True, mode=0o755)
        return place

    def mounts(self, pod, container):
        for one in container.get("volumeMounts", ()):
            volume = pod.volumes[one["name"]]
            if "hostPath" in volume:
                assert volume["hostPath"]["type"] == "DirectoryOrCreate"
                source = self.host_path(volume["hostPath"]["path"])
            else:
                assert volume["configMap"]["name"] == pod.objects["ConfigMap"]["metadata"]["name"]
                source = self.top / "config"
                source.mkdir(exist_ok=True, parents=True)
                for name, text in pod.files.items():
                    (source / name).write_text(text)
            yield str(source), one["mountPath"], one.get("readOnly", False)

    def environment(self, container):
        def value(one):
            if "valueFrom" in one:
                assert one["valueFrom"] == {"fieldRef": {"fieldPath": "status.hostIP"}}
                return self.address
            return one["value"]
        return {"PATH": PATH, **{one["name"]: value(one) for one in container.get("env", ())}}

    def argv(self, pod, container, command=None):
        """What runs a command in a container, or its own one."""
        context = container["securityContext"]
        assert pod.spec["hostNetwork"] and context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"] and context["capabilities"]["drop"] == ["ALL"]
        environment = self.environment(container)
        words = [re.sub(r"\$\((\w+)\)", lambda found: environment.get(found[1], found[0]), word)
                 for word in command or container["command"]]
        spec = {"root": str(self.image), "mounts": list(self.mounts(pod, container)), "uid": context["runAsUser"],
                "gid": context.get("runAsGroup", 0),
                "groups": pod.spec["securityContext"].get("supplementalGroups", []),
                "capabilities": context["capabilities"].get("add", []), "environment": environment, "command": words}
        return self.space.command(CONTAIN, json.dumps(spec))

    def run(self, pod, name, command=None, code=0):
        """Runs a container to its end, or a command in it: kubectl exec."""
        done = run(*self.argv(pod, pod.containers[name], command), check=False)
        if code is not None and done.returncode != code:
            raise Failed(f"{self.name}: {name}: exit {done.returncode}, expected {code}\n{done.stdout}{done.stderr}")
        return done

    def init(self, pod):
        """What all init containers have said, each after the other's end."""
        return {one["name"]: self.run(pod, one["name"]).stdout for one in pod.inits}

    def ready(self, pod, name="policy"):
        """What the kubelet finds out by exec."""
        probe = pod.containers[name]["readinessProbe"]["exec"]["command"]
        return self.run(pod, name, probe, code=None).returncode == 0

    def start(self, pod, name, **options):
        """A container that goes on."""
        return self.lab.process(self.argv(pod, pod.containers[name]), **options)
