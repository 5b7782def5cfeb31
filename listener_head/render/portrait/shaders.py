"""The portrait's shaders (GLSL 3.30). Space: the portrait's camera, optical frame, metres.

Pictures are drawn upside down, so that the first row read back is the top one.
"""

CAMERA = """
#version 330
uniform vec3 camera;  // focal length per side, centre x, y
// Depths from 0.3 m to 5 m fill one of the layers: 0 skin, 1 what was photographed behind it, 2 what was not.
vec4 seen(vec3 at, float layer) {
    vec2 place = camera.yz + camera.x * at.xy / at.z;
    float depth = clamp((at.z * 1.06383 - 0.319149) / at.z, 0.0, 1.0);
    return vec4(2.0 * place - 1.0, (layer + depth) * 0.66 - 1.0, 1.0) * at.z;
}
"""

BEHIND_VERTEX = """
#version 330
noperspective out vec2 uv;
void main() {
    uv = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
    gl_Position = vec4(2.0 * uv - 1.0, 1.0, 1.0);
}
"""

BEHIND_FRAGMENT = """
#version 330
uniform sampler2D behind;
noperspective in vec2 uv;
out vec4 colour;
void main() {
    colour = vec4(texture(behind, uv).rgb, 1.0);
}
"""

SKIN_VERTEX = (
    CAMERA
    + """
uniform vec2 shut;  // right and left eye, 0..1
in vec3 position;
in vec2 texcoord;
in vec2 lids;
noperspective out vec2 uv;
out float cover;
void main() {
    uv = texcoord;
    cover = dot(lids, shut);
    gl_Position = seen(position, 0.0);
}
"""
)

FRINGE_VERTEX = (
    CAMERA
    + """
in vec3 position;
in vec2 texcoord;
noperspective out vec2 uv;
void main() {
    uv = texcoord;
    gl_Position = seen(position, 0.0);
}
"""
)

SKIN_FRAGMENT = """
#version 330
uniform sampler2D photo;
uniform sampler2D lid_skin;
noperspective in vec2 uv;
in float cover;
out vec4 colour;
void main() {
    colour = vec4(texture(photo, uv).rgb, 1.0);
    if (cover > 0.002) {
        colour.rgb = mix(colour.rgb, texture(lid_skin, uv).rgb, min(cover, 1.0));
    }
}
"""

# Where the person ends.
FRINGE_FRAGMENT = """
#version 330
uniform sampler2D photo;
noperspective in vec2 uv;
out vec4 colour;
void main() {
    colour = texture(photo, uv);
    if (colour.a < 0.004) {
        discard;
    }
}
"""

# What the photograph shows behind the skin is fixed to the head: an opening shows of it what is there.
OPENING_VERTEX = (
    CAMERA
    + """
uniform mat3 turn;
uniform vec3 origin;
uniform vec3 arrival;
in vec3 position;
noperspective out vec2 uv;
void main() {
    vec3 rest = transpose(turn) * (position - arrival) + origin;
    uv = camera.yz + camera.x * rest.xy / rest.z;
    gl_Position = seen(position, 1.0);
}
"""
)

EYE_FRAGMENT = """
#version 330
uniform sampler2D photo;
uniform sampler2D eyeballs;   // as the photograph, and beyond the lids as it must be
uniform vec4 iris;            // centre, radius, reach of the movement
uniform vec2 gaze;            // movement of the iris
uniform float stir;           // 0 as photographed
noperspective in vec2 uv;
out vec4 colour;
void main() {
    // The iris moves as it is, the white beside it gives way.
    float away = length(uv - iris.xy - gaze);
    float share = 1.0 - smoothstep(iris.z * 1.05, iris.w, away);
    vec2 at = uv - gaze * share;
    colour = vec4(mix(texture(photo, at).rgb, texture(eyeballs, at).rgb, stir), 1.0);
}
"""

# The mouth as photographed, where it was open.
MOUTH_FRAGMENT = """
#version 330
uniform sampler2D photo;
uniform sampler2D between_lips;  // what it showed, carried on behind the upper lip
uniform float stir;       // 0 as photographed
noperspective in vec2 uv;
out vec4 colour;
void main() {
    colour = mix(vec4(texture(photo, uv).rgb, 1.0), texture(between_lips, uv), stir);
}
"""

# The dark behind teeth and tongue, as wide as the lips are open.
THROAT_VERTEX = (
    CAMERA
    + """
in vec3 position;
void main() {
    gl_Position = seen(position, 2.0);
    gl_Position.z = 0.9999 * gl_Position.w;
}
"""
)

THROAT_FRAGMENT = """
#version 330
uniform vec3 cavity;
out vec4 colour;
void main() {
    colour = vec4(cavity, 1.0);
}
"""

# Teeth and tongue.
INSIDE_VERTEX = (
    CAMERA
    + """
in vec3 position;
in vec3 colour;
out vec3 paint;
void main() {
    paint = colour;
    gl_Position = seen(position, 2.0);
}
"""
)

INSIDE_FRAGMENT = """
#version 330
in vec3 paint;
out vec4 colour;
void main() {
    colour = vec4(paint, 1.0);
}
"""

LASH_VERTEX = (
    CAMERA
    + """
uniform vec2 shut;
in vec3 position;
in vec2 lids;
out float cover;
void main() {
    cover = dot(lids, shut);
    gl_Position = seen(position, 0.0);
}
"""
)

# Lashes: a dark line along the upper lid that shows as the lid comes down.
LASH_FRAGMENT = """
#version 330
uniform vec3 lash;
in float cover;
out vec4 colour;
void main() {
    colour = vec4(lash, clamp(1.5 * cover - 0.1, 0.0, 1.0));
}
"""
