#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""usage: conan_recipe.py RECIPE-FOLDER WORK-FOLDER

Runs a Conan recipe and its test_package with stand-ins for the classes of Conan 2 that they use: every method in
Conan's order, with the CMake that is here. What it cannot show is Conan's own resolution of settings.
"""
import importlib.util
import shutil
import subprocess
import sys
import types
from pathlib import Path

RECIPE, WORK = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"conan_recipe: {command} failed:\n{done.stdout[-3000:]}")


class Settings(dict):
    def __getattr__(self, name):
        return self[name]

    def rm_safe(self, name):
        self.pop(name, None)


class ConanFile:
    def __init__(self, folder, work):
        self.recipe_folder = str(folder)
        self.export_sources_folder = self.source_folder = str(work / "source")
        self.build_folder, self.package_folder = str(work / "build"), str(work / "package")
        self.settings = Settings(os="Linux", arch="x86_64", compiler="gcc", build_type="Release")
        self.options = types.SimpleNamespace(**getattr(self, "default_options", {}))
        self.cpp_info = types.SimpleNamespace(properties={})
        self.cpp_info.set_property = self.cpp_info.properties.__setitem__
        self.cpp = types.SimpleNamespace(build=types.SimpleNamespace(bindir=self.build_folder))
        self.requirements_seen = []
        self.requires = self.requirements_seen.append
        self.arguments = []

    def run(self, command, env=None):
        run(command)


class CMakeToolchain:
    def __init__(self, recipe):
        self.recipe, self.cache_variables = recipe, {}

    def generate(self):
        self.recipe.arguments = [f"-D{name}={value}" for name, value in self.cache_variables.items()]


class CMake:
    def __init__(self, recipe):
        self.recipe = recipe

    def configure(self):
        run("cmake", "-S", self.recipe.source_folder, "-B", self.recipe.build_folder, "-G", "Ninja",
            "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS_RELEASE=-O0", "-DCMAKE_INSTALL_LIBDIR=lib", *self.recipe.arguments)

    def build(self):
        run("cmake", "--build", self.recipe.build_folder)

    def install(self):
        run("cmake", "--install", self.recipe.build_folder, "--prefix", self.recipe.package_folder)


def copy(recipe, pattern, source, target):
    folder = Path(source)
    found = [path for path in folder.glob(pattern) if not path.name.startswith("build")]
    if not found:
        sys.exit(f"conan_recipe: {pattern} matches nothing in {source}")
    for path in found:
        to = Path(target) / path.relative_to(folder)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(path, to, dirs_exist_ok=True) if path.is_dir() else shutil.copy(path, to)


def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


def load(folder):
    spec = importlib.util.spec_from_file_location("recipe", folder / "conanfile.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return next(kind for kind in vars(loaded).values() if isinstance(kind, type) and issubclass(kind, ConanFile)
                and kind is not ConanFile)


module("conan", ConanFile=ConanFile)
module("conan.errors", ConanInvalidConfiguration=type("ConanInvalidConfiguration", (Exception,), {}))
module("conan.tools")
module("conan.tools.build", can_run=lambda recipe: True)
module("conan.tools.cmake", CMake=CMake, CMakeToolchain=CMakeToolchain, cmake_layout=lambda recipe: None)
module("conan.tools.files", copy=copy, rmdir=lambda recipe, path: shutil.rmtree(path, ignore_errors=True))

sys.dont_write_bytecode = True
package = load(RECIPE)(RECIPE, WORK)
for step in ("export_sources", "validate", "configure", "layout", "generate", "build", "package", "package_info"):
    getattr(package, step)()
here = Path(package.package_folder)
libraries = sorted(path.name for path in (here / "lib").iterdir())
if libraries != ["libacre.a"] or not (here / "licenses/LICENSE").is_file() or (here / "share").exists():
    sys.exit(f"conan_recipe: the package holds {libraries}")

# What CMakeDeps writes, from the recipe's package_info.
deps = WORK / "deps"
deps.mkdir()
target, (library,) = package.cpp_info.properties["cmake_target_name"], package.cpp_info.libs
(deps / f"{package.cpp_info.properties['cmake_file_name']}-config.cmake").write_text(
    f"add_library({target} STATIC IMPORTED)\nset_target_properties({target} PROPERTIES IMPORTED_LOCATION "
    f"{here}/lib/lib{library}.a INTERFACE_INCLUDE_DIRECTORIES {here}/include)\n")
test = load(RECIPE / "test_package")(RECIPE / "test_package", WORK / "test")
test.tested_reference_str = f"{package.name}/{package.version}"
test.source_folder = str(RECIPE / "test_package")
test.arguments = [f"-DCMAKE_PREFIX_PATH={deps}"]
for step in ("requirements", "layout", "build", "test"):
    getattr(test, step)()
print(f"conan_recipe: {test.tested_reference_str}: recipe and test_package: no fault")
