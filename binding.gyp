# The build is CMake's. This hands `node-gyp rebuild` over to it, so that tools that know only node-gyp work too.
# package.json says "gypfile": false, so npm does not run it by itself on install.
{
  "targets": [
    {
      "target_name": "fovea",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": [
            "CMakeLists.txt",
            "scripts/gyp-cmake.mjs",
            # The output below never comes to be: CMake itself decides, on every build, what is out of date.
          ],
          "outputs": ["<(INTERMEDIATE_DIR)/always"],
          "action": ["node", "scripts/gyp-cmake.mjs", "<(PRODUCT_DIR)", "$(BUILDTYPE)"],
        }
      ],
    }
  ]
}
