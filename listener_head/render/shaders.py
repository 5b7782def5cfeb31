"""The head's shaders (GLSL 3.30). Space: the camera's, x right, y up, z towards the viewer, metres.

What changes slowly over the skin (light from sky and fill) is computed per vertex, the rest per
pixel: a software renderer pays for every pixel. Colours are squared to get light and rooted to get
back, which is sRGB's curve closely enough.
"""

VERTEX = """
#version 330
uniform mat4 projection;
uniform mat3 head_rotation;
uniform vec3 head_position;
uniform vec3 body_position;
in vec3 position;
in vec3 normal;
in vec3 colour;
in vec2 texcoord;
in vec4 material;      // gloss, its exponent, softness of the light's edge, occlusion
in float head_weight;  // 1 follows the head, 0 the shoulders
out vec3 facing;
out vec3 paint;
out vec2 uv;
out vec4 surface;
out vec3 around;
const vec3 FILL = vec3(0.811, 0.127, 0.571);  // a cool light from the right
void main() {
    vec3 at = mix(position + body_position, head_rotation * position + head_position, head_weight);
    facing = normalize(mix(normal, head_rotation * normal, head_weight));
    paint = colour;
    uv = texcoord;
    surface = material;
    float open_sky = material.w;
    // In the folds of skin the light that is left is red.
    vec3 shade = material.z > 0.4 ? pow(vec3(open_sky), vec3(1.0, 1.25, 1.35)) : vec3(open_sky);
    around = mix(vec3(0.20, 0.165, 0.15), vec3(0.36, 0.38, 0.42), facing.y * 0.5 + 0.5) * shade
           + max(dot(facing, FILL), 0.0) * vec3(0.20, 0.23, 0.28) * mix(0.3, 1.0, open_sky);
    gl_Position = projection * vec4(at, 1.0);
}
"""

FRAGMENT = """
#version 330
uniform sampler2D skin;
in vec3 facing;
in vec3 paint;
in vec2 uv;
in vec4 surface;
in vec3 around;
out vec4 pixel;
// A large soft key light from the upper left and a light from behind; the viewer is far along z.
const vec3 KEY = vec3(-0.438, 0.526, 0.729);
const vec3 HALFWAY = vec3(-0.236, 0.283, 0.930);
const vec3 BACK = vec3(0.32, 0.55, -0.77);
void main() {
    vec3 n = normalize(facing);
    vec3 base = uv.x < -0.5 ? paint : texture(skin, uv).rgb;
    base *= base;
    // Light that has passed through skin is red: its edge reaches further round in that channel.
    vec3 soft = surface.z * vec3(1.0, 0.62, 0.50);
    vec3 key = max((dot(n, KEY) + soft) / (1.0 + soft), 0.0);
    key *= key * 0.35 + 0.65;
    float edge = 1.0 - min(abs(n.z), 1.0);
    float rim = edge * edge * edge * max(dot(n, BACK) + 0.45, 0.0) * surface.w;
    float shine = pow(max(dot(n, HALFWAY), 0.0), surface.y) * surface.x * surface.w;
    vec3 colour = base * (key * vec3(1.06, 0.99, 0.92) * (0.45 + 0.55 * surface.w) + around)
                + vec3(0.165, 0.18, 0.21) * rim * (0.35 + base) + shine * vec3(1.0, 0.97, 0.93);
    pixel = vec4(sqrt(colour / (1.0 + 0.16 * colour) * 1.12), 1.0);
}
"""
