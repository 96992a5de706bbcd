# SPDX-License-Identifier: Apache-2.0 OR MIT
"""acre's library for Conan 2: `conan create packaging/conan` in the repository."""
import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, rmdir


class AcreConan(ConanFile):
    name = "acre"
    version = "0.2.0"
    license = "Apache-2.0 OR MIT"
    description = "Memory allocators behind one interface: TLSF, buddy, slab, bitmap, a two-level heap"
    topics = ("allocator", "tlsf", "slab", "embedded")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False]}
    default_options = {"shared": False, "fPIC": True}

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "LICENSE*", "LICENSES/*", "cmake/*", "include/*", "src/*", "hosted/*",
                        "man/*", "completions/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def validate(self):
        if self.settings.compiler == "msvc":
            raise ConanInvalidConfiguration("acre needs gcc or clang")

    def configure(self):
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for name in ("ACRE_HOSTED", "ACRE_TESTS", "ACRE_BENCH"):
            toolchain.cache_variables[name] = "OFF"
        toolchain.cache_variables["ACRE_DYNAMIC"] = "ON" if self.options.shared else "OFF"
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE*", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "share"))

    def package_info(self):
        self.cpp_info.libs = ["acre"]
        self.cpp_info.set_property("cmake_file_name", "acre")
        self.cpp_info.set_property("cmake_target_name", "acre::acre")
        self.cpp_info.set_property("pkg_config_name", "acre")
