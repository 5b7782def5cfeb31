"""The head's shaders (GLSL 3.30). Space: the camera's, x right, y up, z towards the viewer, metres.

Light is computed at the vertices, which lie closer than light changes; only the skin's texture and the
reflections in the eyes need every pixel, for which a software renderer pays. Colours are squared to get
light and rooted to get back, which is sRGB's curve closely enough.
"""

_HEADER = "#version 330\n"

# Light at a vertex: `light` multiplies the surface's own colour, `shine` is added to it.
_SHADING = """
uniform mat4 projection;
uniform mat3 head_rotation;
uniform vec3 head_position;
uniform vec3 body_position;
uniform vec3 harmonics[9];   // of the terms 1, y, z, x, xy, yz, 3z^2 - 1, xz, x^2 - y^2
uniform float squared;       // 1 where the harmonics light sRGB instead of light itself
uniform vec3 key_direction;
uniform vec3 key_colour;
uniform vec3 rim_colour;
uniform vec3 mirrored;       // halfway between the key light and the viewer
uniform mat4 shadow_view;
uniform float shadow_share;
uniform sampler2DShadow shadow_map;
in vec3 position;
in vec3 normal;
in vec4 material;            // gloss, its exponent, softness of the light's edge, occlusion
in float head_weight;        // 1 follows the head, 0 the shoulders
const vec3 BACK = vec3(0.32, 0.55, -0.77);
const float REACH = 0.010;   // of the shadow's edge, in the map

vec3 placed() {
    return mix(position + body_position, head_rotation * position + head_position, head_weight);
}

vec3 turned() {
    return normalize(mix(normal, head_rotation * normal, head_weight));
}

vec3 from_all_around(vec3 n) {
    vec3 sum = harmonics[0] + harmonics[1] * n.y + harmonics[2] * n.z + harmonics[3] * n.x
        + harmonics[4] * (n.x * n.y) + harmonics[5] * (n.y * n.z) + harmonics[6] * (3.0 * n.z * n.z - 1.0)
        + harmonics[7] * (n.x * n.z) + harmonics[8] * (n.x * n.x - n.y * n.y);
    sum = max(sum, 0.0);
    return mix(sum, sum * sum, squared);
}

float key_visible(vec3 at, vec3 n) {
    if (shadow_share == 0.0) return 1.0;
    // A little off the surface, or it shadows itself between the map's cells.
    vec3 spot = (shadow_view * vec4(at + n * 0.004, 1.0)).xyz - vec3(0.0, 0.0, 0.005);
    float lit = textureLod(shadow_map, spot + vec3(REACH, 0.4 * REACH, 0.0), 0.0)
        + textureLod(shadow_map, spot + vec3(-REACH, -0.4 * REACH, 0.0), 0.0)
        + textureLod(shadow_map, spot + vec3(-0.4 * REACH, REACH, 0.0), 0.0)
        + textureLod(shadow_map, spot + vec3(0.4 * REACH, -REACH, 0.0), 0.0);
    return 1.0 - shadow_share * (1.0 - 0.25 * lit);
}

void shade(vec3 at, vec3 n, out vec3 light, out vec3 shine) {
    float open_sky = material.w;
    // In the folds of skin the light that is left is red, and where light has passed through skin its
    // edge reaches further round in that channel.
    bool skin = material.z > 0.4;
    vec3 around = from_all_around(n) * (skin ? pow(vec3(open_sky), vec3(1.0, 1.25, 1.35)) : vec3(open_sky));
    vec3 soft = material.z * (skin ? vec3(1.0, 0.62, 0.50) : vec3(1.0));
    vec3 key = max((dot(n, key_direction) + soft) / (1.0 + soft), 0.0);
    float visible = key_visible(at, n);
    key *= key * 0.35 + 0.65;
    light = key * key_colour * (visible * (0.45 + 0.55 * open_sky)) + around;
    float edge = 1.0 - min(abs(n.z), 1.0);
    vec3 rim = rim_colour * (edge * edge * edge * max(dot(n, BACK) + 0.45, 0.0) * open_sky);
    light += rim;
    float gloss = pow(max(dot(n, mirrored), 0.0), material.y) * material.x * open_sky * visible;
    shine = rim * 0.35 + gloss * key_colour * 0.92;
}
"""

_TONE = """
uniform vec2 tone;  // how strongly bright light is held back, and the gain before that
vec3 shown(vec3 light) {
    return sqrt(light * tone.y / (1.0 + tone.x * light));
}
"""

# Surfaces of plain colours.
PAINT_VERTEX = (
    _HEADER
    + _SHADING
    + _TONE
    + """
in vec3 colour;
out vec3 seen;
void main() {
    vec3 at = placed(), light, shine;
    shade(at, turned(), light, shine);
    seen = shown(colour * colour * light + shine);
    gl_Position = projection * vec4(at, 1.0);
}
"""
)

PAINT_FRAGMENT = """
#version 330
in vec3 seen;
out vec4 pixel;
void main() {
    pixel = vec4(seen, 1.0);
}
"""

# The textured skin.
SKIN_VERTEX = (
    _HEADER
    + _SHADING
    + """
in vec2 texcoord;
out vec2 uv;
out vec3 light;
out vec3 shine;
void main() {
    vec3 at = placed();
    uv = texcoord;
    shade(at, turned(), light, shine);
    gl_Position = projection * vec4(at, 1.0);
}
"""
)

SKIN_FRAGMENT = (
    _HEADER
    + _TONE
    + """
uniform sampler2D skin;
in vec2 uv;
in vec3 light;
in vec3 shine;
out vec4 pixel;
void main() {
    vec3 base = texture(skin, uv).rgb;
    pixel = vec4(shown(base * base * light + shine), 1.0);
}
"""
)

# The eyeballs, which mirror the key light in a small spot.
EYE_VERTEX = (
    _HEADER
    + _SHADING
    + """
uniform float glow;
in vec3 colour;
out vec3 lit;
out vec3 facing;
out float open;
void main() {
    vec3 at = placed(), light, shine;
    facing = turned();
    open = material.w;
    shade(at, facing, light, shine);
    float vivid = max(max(colour.r, colour.g), colour.b) - min(min(colour.r, colour.g), colour.b);
    lit = colour * colour * (light + glow * 3.0 * vivid);
    gl_Position = projection * vec4(at, 1.0);
}
"""
)

EYE_FRAGMENT = (
    _HEADER
    + _TONE
    + """
uniform vec3 mirrored;   // halfway between the key light and the viewer
in vec3 lit;
in vec3 facing;
in float open;
out vec4 pixel;
void main() {
    vec3 n = normalize(facing);
    float spot = smoothstep(0.9890, 0.9945, dot(n, mirrored));
    float second = smoothstep(0.990, 0.996, dot(n, vec3(-mirrored.x, -mirrored.y, mirrored.z)));
    pixel = vec4(shown(lit + (0.85 * spot + 0.12 * second) * open), 1.0);
}
"""
)

# What stands between the key light and the rest, as depths.
SHADOW_VERTEX = """
#version 330
uniform mat3 head_rotation;
uniform vec3 head_position;
uniform vec3 body_position;
uniform mat4 shadow_view;
in vec3 position;
in float head_weight;
void main() {
    vec3 at = mix(position + body_position, head_rotation * position + head_position, head_weight);
    vec3 spot = (shadow_view * vec4(at, 1.0)).xyz;
    gl_Position = vec4(spot * 2.0 - 1.0, 1.0);
}
"""

SHADOW_FRAGMENT = """
#version 330
void main() {
}
"""

# A picture behind the head; row 0 of the texture is the top.
BACKDROP_VERTEX = """
#version 330
out vec2 uv;
void main() {
    uv = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
    gl_Position = vec4(uv * 2.0 - 1.0, 1.0, 1.0);
}
"""

BACKDROP_FRAGMENT = """
#version 330
uniform sampler2D picture;
in vec2 uv;
out vec4 pixel;
void main() {
    pixel = vec4(texture(picture, uv).rgb, 1.0);
}
"""
